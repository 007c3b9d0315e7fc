"""The articles' equations as plain loops over numpy numbers, one function each, written from the formulas alone.

Knows nothing of the package: nothing here may import from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def softmax(z: Sequence[float] | Array) -> Array:
    """exp(z_k) / sum_j exp(z_j)."""
    high = max(z)
    powers = [math.exp(v - high) for v in z]
    return np.array([p / sum(powers) for p in powers])


def dot(a: Array, b: Array) -> float:
    return math.fsum(float(x) * float(y) for x, y in zip(a, b, strict=True))


def times(w: Array, x: Array) -> Array:
    """(M, N), (N,) -> (M,)."""
    return np.array([dot(row, x) for row in w])


def _padded(picture: Array, padding: int) -> Array:
    high, wide = picture.shape
    out = np.zeros((high + 2 * padding, wide + 2 * padding))
    out[padding : padding + high, padding : padding + wide] = picture
    return out


def correlate(picture: Array, kernel: Array, padding: int, stride: int) -> Array:
    """y[i, j] = sum_u sum_v x[i + u, j + v] k[u, v]."""
    x, (h, w) = _padded(picture, padding), kernel.shape
    out = np.zeros(((x.shape[0] - h) // stride + 1, (x.shape[1] - w) // stride + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for u in range(h):
                for v in range(w):
                    out[i, j] += x[i * stride + u, j * stride + v] * kernel[u, v]
    return out


def convolve(picture: Array, kernel: Array, padding: int, stride: int) -> Array:
    """y[i, j] = sum_u sum_v x[i - u, j - v] k[u, v], from the first place where the whole kernel lies on x."""
    x, (h, w) = _padded(picture, padding), kernel.shape
    out = np.zeros(((x.shape[0] - h) // stride + 1, (x.shape[1] - w) // stride + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for u in range(h):
                for v in range(w):
                    out[i, j] += x[i * stride + h - 1 - u, j * stride + w - 1 - v] * kernel[u, v]
    return out


def pool(picture: Array, size: int, stride: int, largest: bool) -> Array:
    """max, or mean, over each window."""
    high, wide = ((side - size) // stride + 1 for side in picture.shape)
    out = np.zeros((high, wide))
    for i in range(high):
        for j in range(wide):
            seen = [picture[i * stride + u, j * stride + v] for u in range(size) for v in range(size)]
            out[i, j] = max(seen) if largest else math.fsum(seen) / len(seen)
    return out


def rnn(x: Array, w_x: Array, w_h: Array, b: Array) -> Array:
    """h_t = tanh(W_x x_t + W_h h_{t-1} + b), h_0 = 0; x (T, D) -> (T, H)."""
    state, states = np.zeros(len(b)), []
    for step in x:
        state = np.array([math.tanh(dot(w_x[i], step) + dot(w_h[i], state) + b[i]) for i in range(len(b))])
        states.append(state)
    return np.array(states)


def attention_weights(h: Array, w: Array, b: Array, v: Array) -> Array:
    """a_t = v . tanh(W h_t + b), alpha = softmax(a); h (T, D) -> (T,)."""
    return softmax([dot(v, np.tanh(times(w, step) + b)) for step in h])


def weighted_sum(alpha: Array, h: Array) -> Array:
    """sum_t alpha_t h_t."""
    return np.array([math.fsum(alpha[t] * h[t, d] for t in range(len(h))) for d in range(h.shape[1])])


def scaled_dot_product(q: Array, k: Array, v: Array, allowed: NDArray[np.bool_]) -> Array:
    """softmax(Q K^T / sqrt(d)) V over what each query may see; q (Q, d), k (K, d), v (K, e) -> (Q, e)."""
    out = np.zeros((len(q), v.shape[1]))
    for i in range(len(q)):
        seen = [j for j in range(len(k)) if allowed[i, j]]
        if seen:
            weights = softmax([dot(q[i], k[j]) / math.sqrt(q.shape[1]) for j in seen])
            out[i] = weighted_sum(weights, v[seen])
    return out


def co_attention(own: Array, others: Sequence[Array], w: Array, w_others: Sequence[Array], b: Array) -> Array:
    """A = sigma(W_v V + W_t T + b) for each step of V (T, D); T the mean over steps of each other role."""
    out = np.zeros((len(own), len(b)))
    for t, step in enumerate(own):
        z = times(w, step) + b
        for other, weight in zip(others, w_others, strict=True):
            mean = np.array([math.fsum(other[:, d]) / len(other) for d in range(other.shape[1])])
            z = z + times(weight, mean)
        out[t] = [sigmoid(v) for v in z]
    return out


def parallel_co_attention(v: Array, q: Array, w_b: Array, w_v: Array, w_q: Array, s_v: Array) -> Array:
    """Lu et al. 2016, equations 3 to 5: C = tanh(V W_b Q^T), H = tanh(W_v V + C (W_q Q)), softmax(s . H) -> (T_v,)."""
    c = np.array([[math.tanh(dot(x, times(w_b, y))) for y in q] for x in v])
    scores = []
    for i, x in enumerate(v):
        heard = times(w_v, x)
        for j, y in enumerate(q):
            heard = heard + c[i, j] * times(w_q, y)
        scores.append(dot(s_v, np.tanh(heard)))
    return softmax(scores)


def reconstruction(said: Array, true: Array, mask: NDArray[np.bool_]) -> float:
    """The mean over steps of |x - x'|^2 / W; (T, W)."""
    steps = [t for t in range(len(said)) if mask[t]]
    each = [math.fsum((said[t, w] - true[t, w]) ** 2 for w in range(said.shape[1])) / said.shape[1] for t in steps]
    return math.fsum(each) / len(steps)


def contrastive(left: Array, right: Array, scale: float) -> float:
    """-log(exp(s l_i . r_i) / sum_j exp(s l_i . r_j)), and the same from the right, halved and averaged over i."""
    total = 0.0
    for a, b in ((left, right), (right, left)):
        for i in range(len(a)):
            total -= math.log(softmax([scale * dot(a[i], b[j]) for j in range(len(b))])[i]) / 2
    return total / len(left)


def mil_nce(left: Array, right: Array, scale: float) -> float:
    """Miech et al. 2020, equation 1; left (B, P), right (B, N, P)."""
    total, rows = 0.0, len(left)
    for i in range(rows):
        good = math.fsum(math.exp(scale * dot(left[i], y)) for y in right[i])
        bad = math.fsum(math.exp(scale * dot(left[i], y)) for j in range(rows) if j != i for y in right[j])
        bad += math.fsum(math.exp(scale * dot(left[j], y)) for j in range(rows) if j != i for y in right[i])
        total -= math.log(good / (good + bad))
    return total / rows


def cross_entropy(logits: Array, classes: Sequence[int]) -> float:
    return -math.fsum(math.log(softmax(z)[y]) for z, y in zip(logits, classes, strict=True)) / len(logits)


def tensor_fusion(vectors: Sequence[Array], weight: Array, bias: Array) -> Array:
    """W ([1; z_1] x [1; z_2] x ...) + b, the outer product laid out with the last one's units running fastest."""
    product = np.array([1.0])
    for z in vectors:
        product = np.array([a * b for a in product for b in [1.0, *z]])
    return times(weight, product) + bias


def graph_update(nodes: Array, edges: Array, weight: Array, bias: Array) -> Array:
    """h_i' = relu(sum_j A_ij W h_j + b)."""
    out = np.zeros((len(nodes), len(bias)))
    for i in range(len(nodes)):
        total = bias.copy()
        for j in range(len(nodes)):
            total = total + edges[i, j] * times(weight, nodes[j])
        out[i] = np.maximum(total, 0)
    return out


def graph_edges(logits: Array, present: Sequence[bool]) -> Array:
    """Each present row a softmax over the present ones."""
    there = [i for i, p in enumerate(present) if p]
    out = np.zeros(logits.shape)
    for i in there:
        for j, share in zip(there, softmax([logits[i, j] for j in there]), strict=True):
            out[i, j] = share
    return out


def graph_convolution(adjacency: Array) -> Array:
    """D^-1/2 (A + I) D^-1/2."""
    n = len(adjacency)
    looped = [[float(adjacency[i, j]) + (i == j) for j in range(n)] for i in range(n)]
    degree = [math.fsum(row) for row in looped]
    return np.array([[looped[i][j] / math.sqrt(degree[i] * degree[j]) for j in range(n)] for i in range(n)])


def _differences(picture: Array, i: int, j: int) -> tuple[float, float]:
    """Central differences (down, right), 0 at the rim."""
    high, wide = picture.shape
    down = picture[i + 1, j] - picture[i - 1, j] if 0 < i < high - 1 else 0.0
    right = picture[i, j + 1] - picture[i, j - 1] if 0 < j < wide - 1 else 0.0
    return float(down), float(right)


def hog(picture: Array, orientations: int, cell: int, block: int) -> Array:
    """Dalal and Triggs 2005: unsigned orientations, hard bins, L2-Hys blocks at every cell."""
    rows, columns = picture.shape[0] // cell, picture.shape[1] // cell
    cells = np.zeros((rows, columns, orientations))
    for i in range(rows * cell):
        for j in range(columns * cell):
            down, right = _differences(picture, i, j)
            angle = math.degrees(math.atan2(down, right)) % 180
            which = min(int(angle // (180 / orientations)), orientations - 1)
            cells[i // cell, j // cell, which] += math.hypot(down, right) / cell**2
    blocks = []
    for i in range(rows - block + 1):
        for j in range(columns - block + 1):
            b = cells[i : i + block, j : j + block].ravel()
            b = b / math.sqrt(math.fsum(v * v for v in b) + 1e-5**2)
            b = np.array([min(v, 0.2) for v in b])
            blocks.append(b / math.sqrt(math.fsum(v * v for v in b) + 1e-5**2))
    return np.concatenate(blocks)


def gradient_sum(picture: Array, window: int, step: int) -> Array:
    """The articles' plain form: sum over a window of |grad I|."""
    high, wide = ((side - window) // step + 1 for side in picture.shape)
    out = np.zeros((high, wide))
    for i in range(high):
        for j in range(wide):
            out[i, j] = math.fsum(
                math.hypot(*_differences(picture, i * step + u, j * step + v))
                for u in range(window)
                for v in range(window)
            )
    return out
