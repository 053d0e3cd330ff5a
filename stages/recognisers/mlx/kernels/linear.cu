  __shared__ float shared[4][BANDS * 16][8 * TILES + 1];  // half the warps: eight times 64 rows would be too much
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, group = lane / 4, part = lane % 4;
  const int first = blockIdx.x * 8 * TILES;
  const uint4 none = make_uint4(0, 0, 0, 0);
  const uint4* rows = reinterpret_cast<const uint4*>(x);
  __shared__ float means[16], rates[16];
  if (NORM) {
#pragma unroll 1
    for (int m = warp; m < M; m += 8) {
      float sum = 0, squares = 0;
#pragma unroll 1
      for (int piece = lane; piece < K / 8; piece += 32) sum += total(rows[m * (K / 8) + piece], x, [](float value) { return value; });
      const float mean = over_warp(sum) / K;
#pragma unroll 1
      for (int piece = lane; piece < K / 8; piece += 32)
        squares += total(rows[m * (K / 8) + piece], x, [=](float value) { return (value - mean) * (value - mean); });
      squares = over_warp(squares);
      if (lane == 0) { means[m] = mean; rates[m] = rsqrtf(squares / K + 1e-5f); }
    }
    __syncthreads();
  }
  auto load = [&](int m, int piece) {
    if (m >= M) return none;
    uint4 loaded = rows[m * (K / 8) + piece];
    if (NORM) {
      const uint4 scale = reinterpret_cast<const uint4*>(norm_w)[piece], shift = reinterpret_cast<const uint4*>(norm_b)[piece];
      T* values = reinterpret_cast<T*>(&loaded);
#pragma unroll
      for (int i = 0; i < 8; i++) {
        const float value = (static_cast<float>(values[i]) - means[m]) * rates[m] * static_cast<float>(reinterpret_cast<const T*>(&scale)[i]);
        values[i] = static_cast<T>(value + static_cast<float>(reinterpret_cast<const T*>(&shift)[i]));
      }
    }
    return loaded;
  };
  float sums[BANDS][TILES][4] = {};
#pragma unroll 2
  for (int piece = warp * 4 + part; piece < K / 8; piece += 32) {
    uint4 weights[TILES];
#pragma unroll
    for (int tile = 0; tile < TILES; tile++) {
      const int n = first + tile * 8 + group;
      weights[tile] = n < N ? reinterpret_cast<const uint4*>(w)[size_t(n) * (K / 8) + piece] : none;
    }
#pragma unroll
    for (int band = 0; band < BANDS; band++) {
      const int m = band * 16 + group;
      const uint4 upper = load(m, piece), lower = load(m + 8, piece);
#pragma unroll
      for (int tile = 0; tile < TILES; tile++) {
        multiply(sums[band][tile], x, upper.x, lower.x, upper.y, lower.y, weights[tile].x, weights[tile].y);
        multiply(sums[band][tile], x, upper.z, lower.z, upper.w, lower.w, weights[tile].z, weights[tile].w);
      }
    }
  }
  for (int half = 1; half >= 0; half--) {
    if (warp / 4 == half)
#pragma unroll
      for (int band = 0; band < BANDS; band++)
#pragma unroll
        for (int tile = 0; tile < TILES; tile++)
#pragma unroll
          for (int i = 0; i < 4; i++) {
            float& sum = shared[warp % 4][band * 16 + group + i / 2 * 8][tile * 8 + part * 2 + i % 2];
            sum = sums[band][tile][i] + (half ? 0 : sum);
          }
    __syncthreads();
  }
  for (int index = threadIdx.x; index < M * 8 * TILES; index += 256) {
    const int m = index / (8 * TILES), n = first + index % (8 * TILES);
    if (n >= N) continue;
    float sum = BIAS ? static_cast<float>(b[n]) : 0;
#pragma unroll
    for (int other = 0; other < 4; other++) sum += shared[other][m][index % (8 * TILES)];
    if (ERF) sum *= 0.5f * (1 + erff(sum * 0.70710678f));
    if (RESIDUAL) sum += static_cast<float>(r[size_t(m) * N + n]);
    out[size_t(m) * N + n] = static_cast<OUT>(sum);
  }
