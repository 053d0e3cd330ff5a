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
