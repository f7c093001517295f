"""FAISS as people use it from Python: Flat, HNSW32, IVF with SQ8, IVF with PQ fast-scan refined by the full vectors."""

import faiss
import numpy as np

from cell import Setting

EF = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
# FAISS itself uses up to 256 for training; it warns below 39.
POINTS_PER_LIST = 100
PROBES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]


def lists(count: int) -> int:
    """A power of two near 4 * sqrt(count), as FAISS's own guidelines have it."""
    return int(2 ** round(np.log2(4 * np.sqrt(count))))


FACTORY = {
    "faiss-flat": lambda count: "Flat",
    "faiss-hnsw32": lambda count: "HNSW32,Flat",
    "faiss-ivf-sq8": lambda count: f"IVF{lists(count)},SQ8",
    "faiss-ivf-pqfs-rflat": lambda count: f"IVF{lists(count)},PQ64x4fs,RFlat",
}


class Faiss:
    """One factory string of FAISS."""

    def __init__(self, name, data, threads, kept):
        self.name, self.data = name, data
        faiss.omp_set_num_threads(threads)
        file = f"{name}.faiss"
        self.index, self.build_s = kept.index(file, self._build, lambda index, path: faiss.write_index(index, str(path)),
                                              lambda path: faiss.read_index(str(path)))
        self.bytes = len(faiss.serialize_index(self.index)) if len(data.base) <= 200_000 else self._bytes()
        faiss.omp_set_num_threads(1)

    def _build(self):
        base = np.ascontiguousarray(self.data.base)
        index = faiss.index_factory(base.shape[1], FACTORY[self.name](len(base)), faiss.METRIC_INNER_PRODUCT)
        if self.name == "faiss-hnsw32":
            index.hnsw.efConstruction = 200
        if not index.is_trained:
            count = min(len(base), POINTS_PER_LIST * lists(len(base)))
            index.train(base[np.sort(np.random.default_rng(1).choice(len(base), count, replace=False))])
        index.add(base)
        return index

    def _bytes(self):
        """Without copying the index: what its parts hold a row."""
        count, width = self.data.base.shape
        parts = {"faiss-flat": 4 * width, "faiss-hnsw32": 4 * width + 4 * 64 * 1.04, "faiss-ivf-sq8": width + 8}
        return int(count * parts.get(self.name, 4 * width + 32 + 8))

    def prepare(self, line, which, place):
        mask = self.data.mask(line, which, place)
        if mask is None:
            return None
        bits = np.packbits(mask, bitorder="little")
        return faiss.IDSelectorBitmap(bits), bits

    def settings(self, line, which, k):
        if self.name == "faiss-flat":
            return [[Setting("exact", self._flat, exact=True)]]
        if self.name == "faiss-hnsw32":
            return [[Setting(f"efSearch {ef}", self._hnsw(ef)) for ef in EF if ef >= min(k, 512)]]
        if self.name == "faiss-ivf-sq8":
            return [[Setting(f"nprobe {probes}", self._ivf(probes)) for probes in self._probes()]]
        return [[Setting(f"nprobe {probes}, refine {factor}", self._refined(probes, factor)) for probes in self._probes()]
                for factor in (4, 16, 64, 256) if factor * k <= 16384]

    def _probes(self):
        return [probes for probes in PROBES if probes <= lists(len(self.data.base))]

    def _run(self, query, k, params):
        rows = self.index.search(query[None], k, params=params)[1][0]
        return rows[rows >= 0]

    def _flat(self, query, k, selected):
        return self._run(query, k, faiss.SearchParameters(sel=selected[0]) if selected else None)

    def _hnsw(self, ef):
        def search(query, k, selected):
            sel = {"sel": selected[0]} if selected else {}
            return self._run(query, k, faiss.SearchParametersHNSW(efSearch=ef, **sel))
        return search

    def _ivf(self, probes):
        def search(query, k, selected):
            sel = {"sel": selected[0]} if selected else {}
            return self._run(query, k, faiss.SearchParametersIVF(nprobe=probes, **sel))
        return search

    def _refined(self, probes, factor):
        def search(query, k, selected):
            sel = {"sel": selected[0]} if selected else {}
            inner = faiss.SearchParametersIVF(nprobe=probes, **sel)
            return self._run(query, k, faiss.IndexRefineSearchParameters(k_factor=factor, base_index_params=inner))
        return search


NAMES = list(FACTORY)
build = Faiss
