"""What `choice.Chooser.next` does, in two kernels for NVIDIA GPUs.

Written in MLX's operations it is some hundred of them, each of which costs the CPU 5 microseconds or more, and fusing them by
`mx.compile` costs a second of compilation each, minutes in all. Here the CPU starts two kernels, which take some 20 microseconds.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from sutradhar.stages.recognisers.mlx.cuda_compiler import Kernel

THREADS = 256
RANK_THREADS = 1024


def look(ancestors: mx.array, position: mx.array, column: mx.array) -> tuple[mx.array, mx.array]:
    """What `slots.look` does."""
    batch, beams, columns = ancestors.shape
    now, mask = LOOK(
        [ancestors, position, column],
        [(ancestors.shape, mx.int8), ((batch, beams, beams * columns), mx.bool_)],
        blocks=batch,
        threads=THREADS,
        constants={"L": beams, "S": columns},
    )
    return now, mask


def rank(logits: mx.array, forbidden: mx.array, state: Any, tokens: dict[str, int]) -> tuple[mx.array, mx.array, mx.array, mx.array]:
    """The likeliest tokens that each beam may take, in order, from its logits (B, L, V); a row that has a temperature draws one.

    `forbidden` (V,) has bit 0 for a token that is never chosen, bit 1 for one that is never chosen first. Gives logits and numbers of the
    tokens (B, L, K), the log of the sum over all allowed ones (B, L), and the probability that nobody speaks (B,).
    """
    batch, beams, size = logits.shape
    best = 1 if beams == 1 else beams + 1
    likely, numbers, total, no_speech = RANK(
        [
            *[logits, forbidden, state.generated, state.start, state.timed],
            *[*state.timestamps, state.temperature, state.sample, state.no_speech],
        ],
        [((batch, beams, best), mx.float32), ((batch, beams, best), mx.int32), ((batch, beams), mx.float32), ((batch,), mx.float32)],
        blocks=batch * beams,
        threads=RANK_THREADS,
        constants={"L": beams, "BEST": best, **tokens},
        scalars=[size],
    )
    return likely, numbers, total, no_speech


def extend(
    likely: mx.array, numbers: mx.array, total: mx.array, state: Any, length_penalty: mx.array, enough: int, context: int, tokens: dict[str, int]
) -> list[mx.array]:
    """The fields of the next state that change, in the order of `EXTENDED`, from what `rank` gives."""
    batch, beams = state.token.shape
    columns = state.prompt.shape[1]
    of_slots, of_beams, of_columns = (batch,), (batch, beams), (batch, beams, columns)
    return EXTEND(
        [
            *[
                likely,
                numbers,
                total,
                state.position,
                state.generated,
                state.prompt,
                state.prompt_length,
                state.temperature,
                state.limit,
                state.score,
            ],
            *[*state.timestamps, state.ancestors, state.finished, state.text, state.best, state.best_text, state.done, length_penalty],
        ],
        [
            *[(of_beams, mx.int32), (of_slots, mx.int32), (of_slots, mx.int32), (of_beams, mx.float32)],
            *[(of_beams, mx.bool_), (of_beams, mx.bool_), (of_beams, mx.int32)],
            *[(of_columns, mx.int8), (of_slots, mx.int32), (of_columns, mx.int32)],
            *[((batch, 4), mx.float32), ((batch, columns), mx.int32), (of_slots, mx.bool_)],
        ],
        blocks=batch,
        threads=THREADS,
        constants={
            "L": beams,
            "S": columns,
            "BEST": likely.shape[-1],
            "ENOUGH": enough,
            "CONTEXT": context,
            "EOT": tokens["EOT"],
            "TIME": tokens["TIME"],
        },
    )


EXTENDED = (
    *("token", "position", "generated", "score", "last", "before_last", "latest"),
    *("ancestors", "finished", "text", "best", "best_text", "done"),
)

LOOK = Kernel(
    "look",
    ("ancestors", "position", "column"),
    ("now", "mask"),
    """

  const int row = blockIdx.x, from = row * L * S, newest = column[0], oldest = position[row];
  for (int index = threadIdx.x; index < L * S; index += 256) {
    const int l = index / S, s = index % S, age = (newest - s + S) % S, ancestor = age == 0 ? l : ancestors[from + index];
    now[from + index] = ancestor;
    for (int other = 0; other < L; other++) mask[(from + l * S) * L + other * S + s] = age <= oldest && ancestor == other;
  }
""",
)

# One block: one beam. A thread looks at every 1024th token; sums and maxima of text and of timestamps are kept apart, because
# timestamps win where they are likelier together than any text.
RANK = Kernel(
    "rank",
    ("logits", "forbidden", "generated", "start", "timed", "last", "before_last", "latest", "temperature", "sample", "no_speech"),
    ("likely", "numbers", "total", "no_speech_now"),
    """

  struct Sum { float top, sum; };
  struct Pick { float value; int token; };
  __shared__ Sum sums[2][32];
  __shared__ Pick picks[32];
  const int row = blockIdx.x / L, thread = threadIdx.x, lane = thread % 32, warp = thread / 32;
  const float* own = logits + size_t(blockIdx.x) * V;
  const bool first = generated[row] == 0, ruled = timed[row];
  const bool was = last[blockIdx.x], was_before = before_last[blockIdx.x];
  const bool opens = was && was_before && !first, closes = was && !was_before;  // text must come; a timestamp or the end must come
  const int newest = latest[blockIdx.x], earliest = newest > 0 ? (closes ? newest : newest + 1) : 0;
  auto allowed = [&](int token) {
    if (forbidden[token] & (first ? 3 : 1)) return false;
    if (!ruled) return true;
    if (token < TIME) return token != NO_TIMESTAMPS && !first && !(closes && token < EOT);
    return !opens && token >= earliest && !(first && token > TIME + MAX_INITIAL);
  };
  auto join = [](Sum a, Sum b) {
    const float top = fmaxf(a.top, b.top);
    if (top == -INFINITY) return Sum{top, 0};
    return Sum{top, a.sum * __expf(a.top - top) + b.sum * __expf(b.top - top)};
  };
  auto over_block = [&](Sum& value, Sum (&shared)[32]) {
    for (int far = 16; far; far /= 2) value = join(value, Sum{__shfl_xor_sync(~0u, value.top, far), __shfl_xor_sync(~0u, value.sum, far)});
    if (lane == 0) shared[warp] = value;
    __syncthreads();
    value = shared[lane];
    for (int far = 16; far; far /= 2) value = join(value, Sum{__shfl_xor_sync(~0u, value.top, far), __shfl_xor_sync(~0u, value.sum, far)});
    __syncthreads();
  };
  const Sum nothing{-INFINITY, 0};

  if (blockIdx.x % L == 0) {
    float probability = no_speech[row];
    if (generated[row] == start[row]) {
      Sum all = nothing;
      for (int token = thread; token < V; token += 1024) all = join(all, Sum{own[token], 1});
      over_block(all, sums[0]);
      probability = __expf(own[NO_SPEECH] - all.top) / all.sum;
    }
    if (thread == 0) no_speech_now[row] = probability;
  }

  Sum text = nothing, time = nothing;
  for (int token = thread; token < V; token += 1024) {
    if (!allowed(token)) continue;
    Sum& sum = token < TIME ? text : time;
    sum = join(sum, Sum{own[token], 1});
  }
  over_block(text, sums[0]);
  over_block(time, sums[1]);
  const bool only_times = ruled && time.sum > 0 && time.top + logf(time.sum) > text.top;
  const Sum whole = only_times ? time : join(text, time);
  if (thread == 0) total[blockIdx.x] = whole.top + logf(whole.sum);

  // Gumbel noise that depends on temperature, sample, place and token alone (splitmix64), so that a text does not depend on what else is decoded.
  const float warmth = temperature[row];
  using Bits = unsigned long long;
  const Bits attempt = (Bits(sample[row] + blockIdx.x % L) << 12) + Bits(warmth * 100 + 0.5f);
  const Bits place_of = (attempt << 44) + (Bits(generated[row]) << 20);
  auto value_of = [&](int token) {
    if (!(warmth > 0)) return own[token];
    Bits z = (place_of + token + SEED) * 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    const float uniform = (static_cast<float>((z ^ (z >> 31)) >> 40) + 0.5f) * 0x1p-24f;
    return own[token] / warmth - logf(-logf(uniform));
  };
  auto better = [](Pick a, Pick b) { return a.value > b.value || (a.value == b.value && unsigned(a.token) < unsigned(b.token)); };
  auto next_after = [&](Pick taken) {  // this thread's best of those that come after one
    Pick found{-INFINITY, -1};
    for (int token = thread; token < V; token += 1024) {
      if ((only_times && token < TIME) || !allowed(token)) continue;
      const Pick here{value_of(token), token};
      if (better(taken, here) && better(here, found)) found = here;
    }
    return found;
  };
  Pick mine = next_after(Pick{INFINITY, -1});
  for (int place = 0; place < BEST; place++) {
    Pick found = mine;
    for (int far = 16; far; far /= 2) {
      const Pick other{__shfl_xor_sync(~0u, found.value, far), __shfl_xor_sync(~0u, found.token, far)};
      if (better(other, found)) found = other;
    }
    if (lane == 0) picks[warp] = found;
    __syncthreads();
    found = picks[lane];
    for (int far = 16; far; far /= 2) {
      const Pick other{__shfl_xor_sync(~0u, found.value, far), __shfl_xor_sync(~0u, found.token, far)};
      if (better(other, found)) found = other;
    }
    __syncthreads();
    if (thread == 0) {
      likely[blockIdx.x * BEST + place] = found.token < 0 ? -INFINITY : own[found.token];
      numbers[blockIdx.x * BEST + place] = max(found.token, 0);
    }
    if (place + 1 < BEST && found.token >= 0 && found.token % 1024 == thread) mine = next_after(found);
  }
""",
    scalars=("V",),
)

# One block: one slot. One thread chooses; all move what belongs to the parents.
EXTEND = Kernel(
    "extend",
    (
        *("likely", "numbers", "total", "position", "generated", "prompt", "prompt_length", "temperature", "limit", "score"),
        *("last", "before_last", "latest", "ancestors", "finished", "text", "best", "best_text", "done", "length_penalty"),
    ),
    tuple(f"{name}_next" for name in EXTENDED),
    """

  __shared__ int parents[L], tokens[L], ending, ending_token;
  const int row = blockIdx.x, from = row * L;
  if (threadIdx.x == 0) {
    const int made = generated[row];
    const bool feeding = made < 0, drawn = temperature[row] > 0;
    float end_score[L], score_of[L];
    int end_token[L], end_parent[L], token_of[L], parent_of[L];
    if (L == 1 || drawn) {
      for (int l = 0; l < L; l++) {
        const int token = numbers[(from + l) * BEST];
        end_score[l] = score_of[l] = score[from + l] + likely[(from + l) * BEST] - total[from + l];
        if (drawn && token == EOT) score_of[l] = -INFINITY;
        end_token[l] = token_of[l] = token;
        end_parent[l] = parent_of[l] = l;
      }
    } else {  // the beams' candidates are in order: merge them
      int used[L] = {}, going_on = 0;
      for (int place = 0; place < 2 * L; place++) {
        int beam = -1;
        float top = -INFINITY;
        for (int l = 0; l < L; l++) {
          if (used[l] == BEST) continue;
          const float value = score[from + l] + likely[(from + l) * BEST + used[l]] - total[from + l];
          if (beam < 0 || value > top) { beam = l; top = value; }
        }
        const int token = numbers[(from + beam) * BEST + used[beam]++];
        if (place < L) { end_score[place] = top; end_token[place] = token; end_parent[place] = beam; }
        if (token != EOT && going_on < L) { score_of[going_on] = top; token_of[going_on] = token; parent_of[going_on++] = beam; }
      }
    }
    const bool full = made + 1 >= limit[row] || position[row] + 2 >= CONTEXT;
    float top = -INFINITY;
    int winner = -1, ready = 0;
    for (int l = 0; l < L; l++) {
      const bool ends = end_token[l] == EOT;
      if (!((ends || full) && made >= 0 && end_score[l] > -INFINITY && !done[row])) continue;
      ready++;
      const float value = end_score[l] / powf(max(ends ? made : made + 1, 1), length_penalty[0]);
      if (value > top) { top = value; winner = l; }
    }
    const bool better = winner >= 0 && top > best[row * 4];
    best_next[row * 4] = better ? top : best[row * 4];
    best_next[row * 4 + 1] = better ? end_score[winner] : best[row * 4 + 1];
    best_next[row * 4 + 2] = better ? made + (end_token[winner] != EOT) : best[row * 4 + 2];
    best_next[row * 4 + 3] = better ? end_token[winner] == EOT : best[row * 4 + 3];
    ending = better ? end_parent[winner] : -1;
    ending_token = better ? end_token[winner] : 0;
    finished_next[row] = finished[row] + ready;
    done_next[row] = done[row] || finished[row] + ready >= (drawn ? L : ENOUGH) || (full && made >= 0);
    position_next[row] = min(position[row] + 1, S - 1);
    generated_next[row] = made + 1;
    for (int l = 0; l < L; l++) {
      const int token = feeding ? prompt[row * S + max(made + prompt_length[row], 0) % S] : token_of[l];
      const int parent = feeding ? l : parent_of[l];
      const bool keep = feeding, is_time = token >= TIME;
      token_next[from + l] = tokens[l] = token;
      parents[l] = parent;
      score_next[from + l] = keep ? score[from + l] : score_of[l];
      last_next[from + l] = keep ? last[from + l] : is_time;
      before_last_next[from + l] = keep ? before_last[from + l] : last[from + parent];
      latest_next[from + l] = keep ? latest[from + l] : is_time ? token : latest[from + parent];
    }
  }
  __syncthreads();
  const int made = generated[row];
  for (int index = threadIdx.x; index < L * S; index += 256) {
    const int l = index / S, s = index % S, old = (from + parents[l]) * S + s;
    ancestors_next[from * S + index] = ancestors[old];
    text_next[from * S + index] = s == made ? tokens[l] : text[old];
  }
  for (int s = threadIdx.x; s < S; s += 256)
    best_text_next[row * S + s] = ending < 0 ? best_text[row * S + s] : s == made ? ending_token : text[(from + ending) * S + s];
""",
)
