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
