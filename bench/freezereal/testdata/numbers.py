# A computation with numpy: its random numbers, products of matrices, a Fourier
# transform, and a line for each round.
import hashlib
import numpy as np

random = np.random.default_rng(7)
state = random.random((160, 160))
total = hashlib.sha256()
for turn in range(60):
    other = random.random((160, 160))
    state = state @ other
    state /= np.abs(state).max()
    spectrum = np.fft.fft2(state)
    total.update(np.round(spectrum.real, 6).tobytes())
    big = np.arange(turn * 20000, dtype=np.int64)
    print(turn, total.hexdigest()[:16], int(big.sum()), float(np.sort(other.ravel())[77]), flush=turn % 3 == 0)
