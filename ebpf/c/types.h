/* Integers of a fixed size, without a header of any C library.
 *
 * Promise: everything in this folder compiles natively and for the kernel (clang -target bpf) from the same source.
 * It therefore includes nothing, allocates nothing, uses no floating point, and has no loop without a constant bound.
 */
#ifndef FB_TYPES_H
#define FB_TYPES_H

typedef __UINT8_TYPE__ fb_u8;
typedef __UINT16_TYPE__ fb_u16;
typedef __UINT32_TYPE__ fb_u32;
typedef __UINT64_TYPE__ fb_u64;
typedef __INT64_TYPE__ fb_i64;

#define FB_INLINE static inline __attribute__((always_inline))

#endif
