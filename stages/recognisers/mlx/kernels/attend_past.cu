  constexpr int N = L * S;
  __shared__ float scores[L][N], shared[8][L][64], tops[L], sums[L];
  const int head = blockIdx.x, row = head / H;
  const T* own = qkv + (size_t(row) * L * 3 * H + head % H) * 64;
#pragma unroll 1
  for (int index = threadIdx.x; index < L * 64; index += 256) {
    const int l = index / 64, d = index % 64;
    const size_t to = ((size_t(head) * L + l) * S + column[0]) * 64 + d;
    const_cast<T*>(k)[to] = own[(l * 3 + 1) * H * 64 + d];
    const_cast<T*>(v)[to] = own[(l * 3 + 2) * H * 64 + d];
  }
  __syncthreads();
  float query[L][8];
  load_queries<T, L>(query, own, 3 * H * 64);
  const bool* sights = mask + size_t(row) * L * N;
  weigh<T, L, N>(scores, tops, sums, query, reinterpret_cast<const uint4*>(k) + size_t(head) * N * 8, N, [&](int key) {
    unsigned seen = 0;
#pragma unroll
    for (int l = 0; l < L; l++) seen |= unsigned(sights[l * N + key]) << l;
    return seen;
  });
  mix<T, L, N>(scores, shared, reinterpret_cast<const uint4*>(v) + size_t(head) * N * 8, N, [&](int l, int d, float sum) {
    out[((row * L + l) * H + head % H) * 64 + d] = static_cast<T>(sum / sums[l]);
  });
