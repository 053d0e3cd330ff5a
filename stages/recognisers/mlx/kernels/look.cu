  const int row = blockIdx.x, from = row * L * S, newest = column[0], oldest = position[row];
  for (int index = threadIdx.x; index < L * S; index += 256) {
    const int l = index / S, s = index % S, age = (newest - s + S) % S, ancestor = age == 0 ? l : ancestors[from + index];
    now[from + index] = ancestor;
    for (int other = 0; other < L; other++) mask[(from + l * S) * L + other * S + s] = age <= oldest && ancestor == other;
  }
