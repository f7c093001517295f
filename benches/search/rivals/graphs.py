"""hnswlib and usearch through `graphs.cpp`: their graph with a filter, or an exhaustive search, whichever is faster."""

import ctypes
import os

import numpy as np

from cell import Setting

EF = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]
M, EF_BUILD = 16, 200


class Graph:
    """One of the two; both have the same functions."""

    def __init__(self, name, data, threads, kept):
        self.name, self.data = name, data
        self.base = np.ascontiguousarray(data.base)
        self.library = ctypes.CDLL(os.environ["FOREBAY_GRAPHS"])
        size, self.search = self._function("bytes"), self._function("search")
        size.restype = self.search.restype = ctypes.c_size_t
        self.handle, self.build_s = kept.index(f"{name}.graph", lambda: self._build(threads), self._save, self._load)
        self.bytes = size(self.handle)
        if name == "hnswlib":
            self.library.hnswlib_flat(self.handle, self._rows(), *map(ctypes.c_size_t, self.base.shape))
        self.found = np.empty(4096, np.int64)
        self.out = ctypes.c_void_p(self.found.ctypes.data)

    def _function(self, what):
        return getattr(self.library, f"{self.name}_{what}")

    def _build(self, threads):
        more = [ctypes.c_int(0)] if self.name == "usearch" else []
        build = self._function("build")
        build.restype = ctypes.c_void_p
        return ctypes.c_void_p(build(self._rows(), *map(ctypes.c_size_t, (*self.base.shape, M, EF_BUILD, threads)), *more))

    def _save(self, handle, path):
        self._function("save")(handle, ctypes.c_char_p(str(path).encode()))

    def _load(self, path):
        load = self._function("load")
        load.restype = ctypes.c_void_p
        return ctypes.c_void_p(load(ctypes.c_char_p(str(path).encode()), ctypes.c_size_t(self.base.shape[1])))

    def _rows(self):
        return ctypes.c_void_p(self.base.ctypes.data)

    def prepare(self, line, which, place):
        mask = self.data.mask(line, which, place)
        return None if mask is None else np.ascontiguousarray(mask, np.uint8)

    def settings(self, line, which, k):
        graph = [Setting(f"ef {ef}", self._ask(ef)) for ef in EF if ef >= min(k, 512)]
        return [graph, [Setting("exact", self._ask(0), exact=True)]]

    def _ask(self, ef):
        def search(query, k, mask):
            filter_ = ctypes.c_void_p(mask.ctypes.data if mask is not None else None)
            vector = ctypes.c_void_p(query.ctypes.data)
            count = self.search(self.handle, vector, ctypes.c_size_t(k), ctypes.c_size_t(ef), filter_, self.out)
            return self.found[:count]
        return search


NAMES = ["hnswlib", "usearch"]
build = Graph
