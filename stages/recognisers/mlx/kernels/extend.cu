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
