  const size_t token = size_t(tokens[blockIdx.x]) * D, position = size_t(positions[blockIdx.x]) * D;
  for (int d = threadIdx.x; d < D; d += 256)
    out[size_t(blockIdx.x) * D + d] = static_cast<T>(static_cast<float>(e[token + d]) + static_cast<float>(p[position + d]));
