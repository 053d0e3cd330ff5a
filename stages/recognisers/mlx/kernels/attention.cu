template <typename T> __device__ inline void unpack(const uint4& from, float (&to)[8]) {
  const T* values = reinterpret_cast<const T*>(&from);
#pragma unroll
  for (int i = 0; i < 8; i++) to[i] = static_cast<float>(values[i]);
}

__device__ inline float over_warp(float value, bool maximum) {
  for (int far = 16; far; far /= 2) {
    const float other = __shfl_xor_sync(~0u, value, far);
    value = maximum ? fmaxf(value, other) : value + other;
  }
  return value;
}

// Scores of one row's queries over `count` keys: eight threads read one key, 16 bytes each, so that a warp reads four
// keys, 512 bytes in a row, and has four such reads under way. Then their softmax, without the division.
template <typename T, int L, int CHUNK, typename Seen>
__device__ inline void weigh(float (&scores)[L][CHUNK], float (&tops)[L], float (&sums)[L], const float (&query)[L][8],
                             const uint4* keys, int count, Seen seen) {
  const int thread = threadIdx.x, part = thread % 8;
#pragma unroll 1
  for (int base = 0; base < count; base += 128) {  // the same for all threads: a warp must not part before it shuffles
    const int first = base + thread / 8;
    uint4 loaded[4];
    unsigned sights[4];
#pragma unroll
    for (int u = 0; u < 4; u++) {
      const int key = first + 32 * u;
      sights[u] = key < count ? seen(key) : 0;
      loaded[u] = sights[u] ? keys[key * 8 + part] : make_uint4(0, 0, 0, 0);
    }
#pragma unroll
    for (int u = 0; u < 4; u++) {
      float element[8];
      unpack<T>(loaded[u], element);
#pragma unroll
      for (int l = 0; l < L; l++) {
        float score = 0;
#pragma unroll
        for (int i = 0; i < 8; i++) score += query[l][i] * element[i];
        score += __shfl_xor_sync(~0u, score, 1);
        score += __shfl_xor_sync(~0u, score, 2);
        score += __shfl_xor_sync(~0u, score, 4);
        if (part == 0 && first + 32 * u < count) scores[l][first + 32 * u] = sights[u] >> l & 1 ? score : -INFINITY;
      }
    }
  }
  __syncthreads();
#pragma unroll 1
  for (int l = thread / 32; l < L; l += 8) {
    float top = -INFINITY, sum = 0;
#pragma unroll 1
    for (int key = thread % 32; key < count; key += 32) top = fmaxf(top, scores[l][key]);
    top = over_warp(top, true);
#pragma unroll 1
    for (int key = thread % 32; key < count; key += 32) {
      const float weight = top == -INFINITY ? 0 : __expf(scores[l][key] - top);
      scores[l][key] = weight;
      sum += weight;
    }
    sum = over_warp(sum, false);
    if (thread % 32 == 0) { tops[l] = top; sums[l] = sum; }
  }
  __syncthreads();
}

// The sum of the values by their weights; `store(l, d, sum)` gets each of its 64 dimensions.
template <typename T, int L, int CHUNK, typename Store>
__device__ inline void mix(const float (&scores)[L][CHUNK], float (&shared)[8][L][64], const uint4* values, int count, Store store) {
  const int thread = threadIdx.x, part = thread % 8;
  float mixed[L][8] = {};
#pragma unroll 1
  for (int first = thread / 8; first < count; first += 128) {
    uint4 loaded[4];
    float weight[4][L];
#pragma unroll
    for (int u = 0; u < 4; u++) {
      const int key = first + 32 * u;
      bool wanted = false;
#pragma unroll
      for (int l = 0; l < L; l++) {
        weight[u][l] = key < count ? scores[l][key] : 0;
        wanted |= weight[u][l] > 0;
      }
      loaded[u] = wanted ? values[key * 8 + part] : make_uint4(0, 0, 0, 0);
    }
#pragma unroll
    for (int u = 0; u < 4; u++) {
      float element[8];
      unpack<T>(loaded[u], element);
#pragma unroll
      for (int l = 0; l < L; l++)
#pragma unroll
        for (int i = 0; i < 8; i++) mixed[l][i] += weight[u][l] * element[i];
    }
  }
#pragma unroll
  for (int l = 0; l < L; l++)
#pragma unroll
    for (int i = 0; i < 8; i++) {
      mixed[l][i] += __shfl_xor_sync(~0u, mixed[l][i], 8);
      mixed[l][i] += __shfl_xor_sync(~0u, mixed[l][i], 16);
      if (thread % 32 < 8) shared[thread / 32][l][part * 8 + i] = mixed[l][i];
    }
  __syncthreads();
#pragma unroll 1
  for (int index = thread; index < L * 64; index += 256) {
    float sum = 0;
#pragma unroll
    for (int w = 0; w < 8; w++) sum += shared[w][index / 64][index % 64];
    store(index / 64, index % 64, sum);
  }
}

template <typename T, int L> __device__ inline void load_queries(float (&query)[L][8], const T* from, int stride) {
#pragma unroll
  for (int l = 0; l < L; l++) {
    unpack<T>(reinterpret_cast<const uint4*>(from + l * stride)[threadIdx.x % 8], query[l]);
#pragma unroll
    for (int i = 0; i < 8; i++) query[l][i] *= 0.125f;
  }
}
