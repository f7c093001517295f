// hnswlib and usearch behind plain C functions, so that a filter costs them a look into a byte array and not a call of
// Python for every candidate. A mask is one byte a row; no mask means no filter. Inner product of unit vectors throughout.
#include <cstdint>
#include <cstring>
#include <memory>
#include <queue>
#include <thread>
#include <vector>

#include <hnswlib/hnswlib.h>
#include <usearch/index_dense.hpp>

namespace {

struct Mask : hnswlib::BaseFilterFunctor {
    const uint8_t* bytes;
    explicit Mask(const uint8_t* bytes_) : bytes(bytes_) {}
    bool operator()(hnswlib::labeltype row) override { return bytes[row] != 0; }
};

// Adds rows [0, count) by `add(row, thread)` on `threads` threads, each taking every threads-th row.
template <typename Add> void in_parallel(size_t count, size_t threads, Add add) {
    std::vector<std::thread> workers;
    for (size_t worker = 0; worker < threads; ++worker)
        workers.emplace_back([=] {
            for (size_t row = worker; row < count; row += threads) add(row, worker);
        });
    for (auto& worker : workers) worker.join();
}

struct Hnswlib {
    hnswlib::InnerProductSpace space;
    std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph;
    const float* rows = nullptr;  // The caller's, for the exhaustive search.
    size_t count = 0, dimension = 0;
    explicit Hnswlib(size_t dimension) : space(dimension) {}
};

using unum::usearch::index_dense_t;

}  // namespace

extern "C" {

void* hnswlib_build(const float* rows, size_t count, size_t dimension, size_t m, size_t ef, size_t threads) {
    auto* index = new Hnswlib(dimension);
    index->graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(&index->space, count, m, ef);
    index->graph->addPoint(rows, 0);
    in_parallel(count, threads, [=](size_t row, size_t) {
        if (row) index->graph->addPoint(rows + row * dimension, row);
    });
    return index;
}

void hnswlib_save(void* handle, const char* path) { static_cast<Hnswlib*>(handle)->graph->saveIndex(path); }

void* hnswlib_load(const char* path, size_t dimension) {
    auto* index = new Hnswlib(dimension);
    index->graph = std::make_unique<hnswlib::HierarchicalNSW<float>>(&index->space, std::string(path));
    return index;
}

size_t hnswlib_bytes(void* handle) { return static_cast<Hnswlib*>(handle)->graph->indexFileSize(); }

// The same rows for the exhaustive search; the caller keeps them.
void hnswlib_flat(void* handle, const float* rows, size_t count, size_t dimension) {
    auto* index = static_cast<Hnswlib*>(handle);
    index->rows = rows, index->count = count, index->dimension = dimension;
}

namespace {

// hnswlib's BruteforceSearch loses hits under a filter (a row that passes is kept only if it beats the worst so far, even
// while fewer than k are held), so this asks its distance function for every row that passes.
std::priority_queue<std::pair<float, size_t>> exhaustive(Hnswlib& index, const float* query, size_t k, const uint8_t* mask) {
    auto distance = index.space.get_dist_func();
    std::priority_queue<std::pair<float, size_t>> heap;
    for (size_t row = 0; row < index.count; ++row) {
        if (mask && !mask[row]) continue;
        float far = distance(query, index.rows + row * index.dimension, index.space.get_dist_func_param());
        if (heap.size() < k) heap.emplace(far, row);
        else if (far < heap.top().first) heap.pop(), heap.emplace(far, row);
    }
    return heap;
}

}  // namespace

// ef = 0: the exhaustive search. Returns how many rows were found, best first in `found`.
size_t hnswlib_search(void* handle, const float* query, size_t k, size_t ef, const uint8_t* mask, int64_t* found) {
    auto* index = static_cast<Hnswlib*>(handle);
    Mask filter(mask);
    auto* functor = mask ? &filter : nullptr;
    if (ef) index->graph->setEf(ef);
    auto heap = ef ? index->graph->searchKnn(query, k, functor) : exhaustive(*index, query, k, mask);
    size_t count = heap.size();
    for (size_t place = count; place-- > 0; heap.pop()) found[place] = static_cast<int64_t>(heap.top().second);
    return count;
}

void* usearch_build(const float* rows, size_t count, size_t dimension, size_t m, size_t ef, size_t threads, int half) {
    using namespace unum::usearch;
    metric_punned_t metric(dimension, metric_kind_t::ip_k, half ? scalar_kind_t::bf16_k : scalar_kind_t::f32_k);
    index_dense_config_t config(m, ef, 64);
    config.enable_key_lookups = false;
    auto state = index_dense_t::make(metric, config);
    if (!state) return nullptr;
    auto* index = new index_dense_t(std::move(state.index));
    if (!index->try_reserve(index_limits_t(count, threads))) return nullptr;
    in_parallel(count, threads, [=](size_t row, size_t worker) { index->add(row, rows + row * dimension, worker); });
    return index;
}

void usearch_save(void* handle, const char* path) { static_cast<index_dense_t*>(handle)->save(path); }

void* usearch_load(const char* path, size_t) {
    auto state = index_dense_t::make(path);
    return state ? new index_dense_t(std::move(state.index)) : nullptr;
}

size_t usearch_bytes(void* handle) { return static_cast<index_dense_t*>(handle)->serialized_length(); }

const char* usearch_isa(void* handle) { return static_cast<index_dense_t*>(handle)->metric().isa_name(); }

// ef = 0: usearch's own exhaustive search.
size_t usearch_search(void* handle, const float* query, size_t k, size_t ef, const uint8_t* mask, int64_t* found) {
    auto* index = static_cast<index_dense_t*>(handle);
    if (ef) index->change_expansion_search(ef);
    auto result = mask ? index->filtered_search(query, k, [=](uint64_t row) { return mask[row] != 0; }, 0, ef == 0)
                       : index->search(query, k, 0, ef == 0);
    std::vector<uint64_t> rows(k);
    size_t count = result.dump_to(rows.data());
    for (size_t place = 0; place < count; ++place) found[place] = static_cast<int64_t>(rows[place]);
    return count;
}
}
