// What Forebay needs of FAISS and its C interface does not reach.
//
// Promise: no exception crosses this border. Every function returns 0, or -1 with a text in `message`.
// Limits: one process-wide rule, that an index is immutable once opened, so every call on it is const and may come from
// several threads at once. A handle holds a view of the caller's vectors and must not outlive them.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>

#include <omp.h>

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/impl/maybe_owned_vector.h>
#include <faiss/index_io.h>
#include <faiss/utils/distances.h>

namespace {

// Runs `body`; what it throws becomes a text.
template <class Body>
int guarded(char* message, size_t message_size, Body body) noexcept {
    const char* reason = "unknown exception";
    try {
        body();
        return 0;
    } catch (const std::exception& e) {
        std::snprintf(message, message_size, "%s", e.what());
        return -1;
    } catch (...) {
        std::snprintf(message, message_size, "%s", reason);
        return -1;
    }
}

// A flat index over memory that is not its own.
faiss::IndexFlatIP* flat_view(int dimension, size_t rows, const float* vectors) {
    auto flat = std::make_unique<faiss::IndexFlatIP>(dimension);
    // The view is only ever read: nothing adds to or removes from an opened index.
    void* bytes = const_cast<float*>(vectors);
    flat->codes = faiss::MaybeOwnedVector<uint8_t>::create_view(bytes, rows * flat->code_size, nullptr);
    flat->ntotal = static_cast<faiss::idx_t>(rows);
    return flat.release();
}

} // namespace

extern "C" {

// Builds an HNSW graph over `rows` vectors with `threads` threads and writes it, without the vectors, to `path`.
int forebay_hnsw_build(
        int dimension,
        size_t rows,
        const float* vectors,
        int links,
        int ef_construction,
        int threads,
        const char* path,
        char* message,
        size_t message_size) noexcept {
    const int before = omp_get_max_threads();
    int rc = guarded(message, message_size, [&] {
        omp_set_num_threads(threads);
        faiss::IndexHNSWFlat index(dimension, links, faiss::METRIC_INNER_PRODUCT);
        index.hnsw.efConstruction = ef_construction;
        index.add(static_cast<faiss::idx_t>(rows), vectors);
        faiss::write_index(&index, path, faiss::IO_FLAG_SKIP_STORAGE);
    });
    omp_set_num_threads(before);
    return rc;
}

// Opens the graph at `path` over the vectors it was built from.
int forebay_hnsw_open(
        const char* path,
        int dimension,
        size_t rows,
        const float* vectors,
        faiss::Index** out,
        char* message,
        size_t message_size) noexcept {
    return guarded(message, message_size, [&] {
        std::unique_ptr<faiss::Index> index(faiss::read_index(path));
        auto* hnsw = dynamic_cast<faiss::IndexHNSWFlat*>(index.get());
        FAISS_THROW_IF_NOT_MSG(hnsw, "not an HNSW graph");
        FAISS_THROW_IF_NOT_MSG(!hnsw->storage, "the graph holds vectors of its own");
        FAISS_THROW_IF_NOT_MSG(hnsw->d == dimension, "the graph has another dimension");
        FAISS_THROW_IF_NOT_MSG(hnsw->ntotal == static_cast<faiss::idx_t>(rows), "the graph has another length");
        FAISS_THROW_IF_NOT_MSG(hnsw->metric_type == faiss::METRIC_INNER_PRODUCT, "the graph has another metric");
        hnsw->storage = flat_view(dimension, rows, vectors);
        hnsw->own_fields = true;
        *out = index.release();
    });
}

void forebay_hnsw_close(faiss::Index* index) noexcept {
    delete index;
}

// The k rows nearest to `query` among those whose bit is set; rows of -1 where there are fewer. `ef` bounds the search.
int forebay_hnsw_nearest(
        const faiss::Index* index,
        const float* query,
        size_t k,
        int ef,
        const uint8_t* bitmap,
        size_t bitmap_bytes,
        float* scores,
        int64_t* rows,
        char* message,
        size_t message_size) noexcept {
    return guarded(message, message_size, [&] {
        // One query is searched by one thread; this keeps OpenMP from waking others for it.
        omp_set_num_threads(1);
        faiss::IDSelectorBitmap selector(bitmap_bytes, bitmap);
        faiss::SearchParametersHNSW params;
        params.efSearch = ef;
        params.sel = &selector;
        index->search(1, query, static_cast<faiss::idx_t>(k), scores, rows, &params);
    });
}

// Inner products of `query` with the vectors of `rows`, always by the same instructions in the same order, so that an
// event scores the same to the last bit whichever way it was found.
void forebay_inner_products(
        int dimension,
        const float* vectors,
        const float* query,
        const uint32_t* rows,
        size_t row_count,
        float* scores) noexcept {
    const size_t d = static_cast<size_t>(dimension);
    for (size_t i = 0; i < row_count; i++) {
        scores[i] = faiss::fvec_inner_product(query, vectors + d * rows[i], d);
    }
}

} // extern "C"
