  const size_t index = size_t(blockIdx.x) * blockDim.x + threadIdx.x, to = size_t(rows[index / pieces]) * pieces + index % pieces;
  reinterpret_cast<uint4*>(const_cast<__half*>(reinterpret_cast<const __half*>(k)))[to] = reinterpret_cast<const uint4*>(new_k)[index];
  reinterpret_cast<uint4*>(const_cast<__half*>(reinterpret_cast<const __half*>(v)))[to] = reinterpret_cast<const uint4*>(new_v)[index];
