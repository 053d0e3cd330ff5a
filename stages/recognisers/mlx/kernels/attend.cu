  constexpr int CHUNK = (N + SPLITS - 1) / SPLITS;
  __shared__ float scores[L][CHUNK], shared[8][L][64], tops[L], sums[L];
  const int split = blockIdx.x % SPLITS, head = blockIdx.x / SPLITS, row = head / H;
  const int begin = split * CHUNK, count = min(CHUNK, N - begin);
  const size_t offset = (size_t(head) * N + begin) * 8;
  float query[L][8];
  load_queries<T, L>(query, q + (row * L * H + head % H) * 64, H * 64);
  weigh<T, L, CHUNK>(scores, tops, sums, query, reinterpret_cast<const uint4*>(k) + offset, count, [](int) { return ~0u; });
  mix<T, L, CHUNK>(scores, shared, reinterpret_cast<const uint4*>(v) + offset, count, [&](int l, int d, float sum) {
    if (SPLITS == 1) {
      out[((row * L + l) * H + head % H) * 64 + d] = static_cast<T>(sum / sums[l]);
    } else {
      float* to = parts + ((size_t(head) * SPLITS + split) * L + l) * 66;
      to[d] = sum;
      if (d == 0) { to[64] = tops[l]; to[65] = sums[l]; }
    }
  });
  if (SPLITS == 1) return;
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  int* counter = const_cast<int*>(counters) + head;
  if (threadIdx.x == 0) last = atomicAdd(counter, 1) == SPLITS - 1;
  __syncthreads();
  if (!last) return;
  if (threadIdx.x == 0) *counter = 0;
#pragma unroll 1
  for (int index = threadIdx.x; index < L * 64; index += 256) {
    const int l = index / 64, d = index % 64;
    const float* from = parts + (size_t(head) * SPLITS * L + l) * 66;
    float top = -INFINITY, sum = 0, mixed = 0;
#pragma unroll 1
    for (int other = 0; other < SPLITS; other++) top = fmaxf(top, __ldcg(from + other * L * 66 + 64));
#pragma unroll 1
    for (int other = 0; other < SPLITS; other++) {
      const float* part = from + other * L * 66;
      const float scale = __expf(__ldcg(part + 64) - top);
      sum += scale * __ldcg(part + 65);
      mixed += scale * __ldcg(part + d);
    }
    out[((row * L + l) * H + head % H) * 64 + d] = static_cast<T>(mixed / sum);
  }
