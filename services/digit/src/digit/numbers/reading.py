import numpy as np

from digit.numbers import lattice as L
from digit.numbers.lines import lines_of
from digit.numbers.path import best_path
from digit.numbers.pieces import cut
from digit.numbers.upright import upright
from digit.numbers.scores import scores
from digit.preprocess import find_ink


def lattice_read(lat, classify):
    m = len(lat)
    ok = np.flatnonzero(lat.plausible)
    p = np.full((m, 10), 0.1)
    d = np.zeros(m)
    if len(ok):
        o = classify(L.frames(lat, ok))
        p[ok] = o.probabilities
        d[ok] = o.digitness
    return p, d


def read(picture, classify):
    ink = find_ink(picture, bound=1024)
    lines = lines_of(ink)
    if not lines:
        return None
    lat = lattice_for(ink, lines[0], classify)
    p, d = lattice_read(lat, classify)
    r, l = scores(lat, p, d)
    path = best_path(lat, r, l)
    return "".join(str(p[i].argmax()) for i in path.read), lat, p, d, r, l, path

SURE=.9
def lattice_for(ink,line,classify):
    up=upright(ink.grey,line); m=up.marks
    wide=(m.right-m.left)/up.tall; high=(m.bottom-m.top)/up.tall
    cand=np.flatnonzero((wide>.35)&(high>.5))
    doubt=cand
    easy=cand[wide[cand]<=1.0]
    if len(easy) and SURE<1:
        whole=L.lattice_of(cut(up,[]))
        fr=np.stack([L.frame(up.ink[m.top[i]:m.bottom[i],m.left[i]:m.right[i]],up.label[m.top[i]:m.bottom[i],m.left[i]:m.right[i]]==i) for i in easy])
        o=classify(fr); s=o.probabilities.max(1)*o.digitness
        doubt=np.setdiff1d(cand,easy[s>=SURE])
    return L.lattice_of(cut(up,doubt.tolist()))
