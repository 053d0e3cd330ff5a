"""The CUDA C++ of the kernels that `cuda` runs; there it is said what each computes."""

from __future__ import annotations

from sutradhar.stages.recognisers.mlx.cuda_compiler import Kernel

ATTENTION = """
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
"""

TENSOR_CORES = """
template <typename T, typename Of> __device__ inline float total(const uint4& from, const T*, Of of) {
  float sum = 0;
#pragma unroll
  for (int i = 0; i < 8; i++) sum += of(static_cast<float>(reinterpret_cast<const T*>(&from)[i]));
  return sum;
}

__device__ inline float over_warp(float sum) {
  for (int far = 16; far; far /= 2) sum += __shfl_xor_sync(~0u, sum, far);
  return sum;
}

__device__ inline void multiply(float (&sum)[4], const __half*, unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3]) : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

__device__ inline void multiply(float (&sum)[4], const __nv_bfloat16*, unsigned a0, unsigned a1, unsigned a2, unsigned a3, unsigned b0, unsigned b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3]) : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}
"""

# One block: one head's share of the keys, for all queries of its row.
ATTEND = Kernel(
    "attend",
    ("q", "k", "v", "counters"),
    ("out", "parts"),
    """

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
""",
    ATTENTION,
)

ATTEND_PAST = Kernel(
    "attend_past",
    ("qkv", "k", "v", "column", "mask"),
    ("out",),
    """

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
""",
    ATTENTION,
)

# One block: one token.
EMBED = Kernel(
    "embed",
    ("tokens", "positions", "e", "p"),
    ("out",),
    """

  const size_t token = size_t(tokens[blockIdx.x]) * D, position = size_t(positions[blockIdx.x]) * D;
  for (int d = threadIdx.x; d < D; d += 256)
    out[size_t(blockIdx.x) * D + d] = static_cast<T>(static_cast<float>(e[token + d]) + static_cast<float>(p[position + d]));
""",
    scalars=("D",),
)

GELU = Kernel(
    "gelu",
    ("x",),
    ("out",),
    """
  const int index = blockIdx.x * 256 + threadIdx.x;
  if (index >= pieces) return;
  const uint4 loaded = reinterpret_cast<const uint4*>(x)[index];
  uint4 stored;
#pragma unroll
  for (int i = 0; i < 8; i++) {
    const float value = static_cast<float>(reinterpret_cast<const T*>(&loaded)[i]);
    reinterpret_cast<T*>(&stored)[i] = static_cast<T>(value * 0.5f * (1 + erff(value * 0.70710678f)));
  }
  reinterpret_cast<uint4*>(out)[index] = stored;
""",
    scalars=("pieces",),
)

PLACE = Kernel(
    "place",
    ("k", "v", "new_k", "new_v", "rows"),
    ("mark",),
    """

  const size_t index = size_t(blockIdx.x) * blockDim.x + threadIdx.x, to = size_t(rows[index / pieces]) * pieces + index % pieces;
  reinterpret_cast<uint4*>(const_cast<__half*>(reinterpret_cast<const __half*>(k)))[to] = reinterpret_cast<const uint4*>(new_k)[index];
  reinterpret_cast<uint4*>(const_cast<__half*>(reinterpret_cast<const __half*>(v)))[to] = reinterpret_cast<const uint4*>(new_v)[index];
""",
    scalars=("pieces",),
)

# One block: 8 * TILES columns of the result, all rows. Its warps share out K in pieces of 32. Of each piece a thread reads
# 16 bytes of a row of `w` and of rows of `x`; which of the 32 numbers meet in one of the two products is of no matter as
# long as it is the same for both, so that the 16 bytes need not be spread over the threads as the tensor cores number them.
LINEAR = Kernel(
    "linear",
    ("x", "w", "b", "r", "norm_w", "norm_b"),
    ("out",),
    """

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
""",
    TENSOR_CORES,
    scalars=("M", "N", "K"),
)
