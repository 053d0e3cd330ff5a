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
