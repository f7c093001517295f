// What Forebay needs of FAISS and its C interface does not reach.
//
// Promise: no exception crosses this border. Every function returns 0, or -1 with a text in `message`.
// Limits: one process-wide rule, that an index is immutable once opened, so every call on it is const and may come from
// several threads at once. A handle may hold a view of the caller's vectors and must not outlive them.
//
// Only kinds of index are let in whose filtered search FAISS 1.12 does right: flat, HNSW over floats, inverted lists, and
// these behind a transform or a refinement.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <vector>

#include <omp.h>

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVF.h>
#include <faiss/IndexIVFRaBitQ.h>
#include <faiss/IndexPreTransform.h>
#include <faiss/IndexRefine.h>
#include <faiss/impl/IDSelector.h>
#include <faiss/impl/maybe_owned_vector.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>

namespace {

// Rows a quantiser is trained on for each inverted list: FAISS wants at least 39.
constexpr size_t TRAIN_ROWS_PER_LIST = 48;

// Fewest rows a quantiser is trained on, where there are as many.
constexpr size_t TRAIN_ROWS_MIN = 65536;

// Candidates looked at while a vector is linked into a graph: FAISS's own 40 loses recall, 80 takes twice as long.
constexpr int EF_CONSTRUCTION = 80;

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

// The kinds of index whose parameters differ.
enum class Kind { flat, graph, lists, transformed, refined };

Kind kind_of(const faiss::Index* index) {
    if (dynamic_cast<const faiss::IndexFlat*>(index)) {
        return Kind::flat;
    }
    if (dynamic_cast<const faiss::IndexHNSWFlat*>(index)) {
        return Kind::graph;
    }
    FAISS_THROW_IF_NOT_MSG(!dynamic_cast<const faiss::IndexIVFRaBitQ*>(index), "RaBitQ is not filtered rightly");
    if (dynamic_cast<const faiss::IndexIVF*>(index)) {
        return Kind::lists;
    }
    if (auto* transform = dynamic_cast<const faiss::IndexPreTransform*>(index)) {
        kind_of(transform->index);
        return Kind::transformed;
    }
    if (auto* refine = dynamic_cast<const faiss::IndexRefine*>(index)) {
        kind_of(refine->base_index);
        return Kind::refined;
    }
    FAISS_THROW_MSG("this kind of index is not filtered rightly, or not known to be; use Flat, HNSW, IVF, or these "
                    "with a transform or a refinement");
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

// Trains on rows evenly spread over the vectors.
void train(faiss::Index& index, size_t rows, const float* vectors) {
    if (index.is_trained) {
        return;
    }
    size_t lists = 0;
    const faiss::Index* inner = &index;
    while (inner) {
        if (auto* ivf = dynamic_cast<const faiss::IndexIVF*>(inner)) {
            lists = ivf->nlist;
            break;
        }
        if (auto* transform = dynamic_cast<const faiss::IndexPreTransform*>(inner)) {
            inner = transform->index;
        } else if (auto* refine = dynamic_cast<const faiss::IndexRefine*>(inner)) {
            inner = refine->base_index;
        } else {
            break;
        }
    }
    const size_t count = std::min(rows, std::max(TRAIN_ROWS_MIN, lists * TRAIN_ROWS_PER_LIST));
    const size_t d = static_cast<size_t>(index.d);
    std::vector<float> sample(count * d);
    for (size_t i = 0; i < count; i++) {
        std::copy_n(vectors + i * rows / count * d, d, sample.data() + i * d);
    }
    index.train(static_cast<faiss::idx_t>(count), sample.data());
}

// What a search may visit.
struct Effort {
    int ef;
    size_t nprobe;
    float factor;
};

// The parameters of a search of `index` and what is inside it.
struct Parameters {
    faiss::SearchParameters plain;
    faiss::SearchParametersHNSW graph;
    faiss::SearchParametersIVF lists;
    faiss::SearchParametersPreTransform transform;
    faiss::IndexRefineSearchParameters refine;

    faiss::SearchParameters* of(const faiss::Index* index, faiss::IDSelector* selector, const Effort& effort) {
        switch (kind_of(index)) {
            case Kind::flat:
                plain.sel = selector;
                return &plain;
            case Kind::graph:
                graph.sel = selector;
                graph.efSearch = effort.ef;
                return &graph;
            case Kind::lists:
                lists.sel = selector;
                lists.nprobe = effort.nprobe;
                return &lists;
            case Kind::transformed:
                transform.index_params =
                        of(static_cast<const faiss::IndexPreTransform*>(index)->index, selector, effort);
                return &transform;
            case Kind::refined:
                refine.k_factor = effort.factor;
                refine.base_index_params =
                        of(static_cast<const faiss::IndexRefine*>(index)->base_index, selector, effort);
                return &refine;
        }
        return nullptr;
    }
};

} // namespace

extern "C" {

// Builds the index that `factory` names over `rows` vectors with `threads` threads and writes it to `path`; of a graph only
// the links, of a flat index nothing but its dimension.
int forebay_faiss_build(
        const char* factory,
        int dimension,
        size_t rows,
        const float* vectors,
        int threads,
        const char* path,
        char* message,
        size_t message_size) noexcept {
    const int before = omp_get_max_threads();
    int rc = guarded(message, message_size, [&] {
        omp_set_num_threads(threads);
        std::unique_ptr<faiss::Index> index(faiss::index_factory(dimension, factory, faiss::METRIC_INNER_PRODUCT));
        const Kind kind = kind_of(index.get());
        if (auto* hnsw = dynamic_cast<faiss::IndexHNSW*>(index.get())) {
            hnsw->hnsw.efConstruction = EF_CONSTRUCTION;
        }
        if (kind != Kind::flat) {
            train(*index, rows, vectors);
            index->add(static_cast<faiss::idx_t>(rows), vectors);
        }
        faiss::write_index(index.get(), path, kind == Kind::graph ? faiss::IO_FLAG_SKIP_STORAGE : 0);
    });
    omp_set_num_threads(before);
    return rc;
}

// Opens the index at `path` over the vectors it was built from.
int forebay_faiss_open(
        const char* path,
        int dimension,
        size_t rows,
        const float* vectors,
        faiss::Index** out,
        char* message,
        size_t message_size) noexcept {
    return guarded(message, message_size, [&] {
        std::unique_ptr<faiss::Index> index(faiss::read_index(path));
        FAISS_THROW_IF_NOT_MSG(index->d == dimension, "the index has another dimension");
        FAISS_THROW_IF_NOT_MSG(index->metric_type == faiss::METRIC_INNER_PRODUCT, "the index has another metric");
        const Kind kind = kind_of(index.get());
        if (kind == Kind::flat) {
            index.reset(flat_view(dimension, rows, vectors));
        }
        FAISS_THROW_IF_NOT_MSG(index->ntotal == static_cast<faiss::idx_t>(rows), "the index has another length");
        if (kind == Kind::graph) {
            auto* hnsw = dynamic_cast<faiss::IndexHNSWFlat*>(index.get());
            FAISS_THROW_IF_NOT_MSG(!hnsw->storage, "the graph holds vectors of its own");
            hnsw->storage = flat_view(dimension, rows, vectors);
            hnsw->own_fields = true;
        }
        *out = index.release();
    });
}

void forebay_faiss_close(faiss::Index* index) noexcept {
    delete index;
}

// How many inverted lists there are; 0 for a graph, -1 where everything is compared.
int64_t forebay_faiss_lists(const faiss::Index* index) noexcept {
    int64_t lists = -1;
    char message[64];
    guarded(message, sizeof message, [&] {
        const faiss::Index* inner = index;
        for (Kind kind = kind_of(inner); kind != Kind::flat; kind = kind_of(inner)) {
            if (kind == Kind::graph) {
                lists = 0;
                return;
            }
            if (kind == Kind::lists) {
                lists = static_cast<int64_t>(static_cast<const faiss::IndexIVF*>(inner)->nlist);
                return;
            }
            inner = kind == Kind::transformed ? static_cast<const faiss::IndexPreTransform*>(inner)->index
                                              : static_cast<const faiss::IndexRefine*>(inner)->base_index;
        }
    });
    return lists;
}

// The k rows nearest to `query` among those whose bit is set; rows of -1 where there are fewer.
int forebay_faiss_nearest(
        const faiss::Index* index,
        const float* query,
        size_t k,
        int ef,
        size_t nprobe,
        float factor,
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
        Parameters parameters;
        const Effort effort{ef, nprobe, factor};
        index->search(
                1, query, static_cast<faiss::idx_t>(k), scores, rows, parameters.of(index, &selector, effort));
    });
}

} // extern "C"
