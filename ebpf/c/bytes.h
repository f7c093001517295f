/* Bounded reading of a captured frame: the only file that touches packet memory.
 *
 * A reader asks fb_has() for a whole header once and then loads fields of it. Offsets are 32 bit and a frame is at most
 * FB_FRAME_BYTES_MAX long, so that offset + length cannot wrap.
 */
#ifndef FB_BYTES_H
#define FB_BYTES_H

#include "types.h"

/* Longest frame that is parsed; the snapshot limit of common capture tools is 262,144. */
#define FB_FRAME_BYTES_MAX (1u << 20)

/* Where a byte lies. A kernel program, whose verifier wants a constant bound at every access, masks the offset here to the size
 * of its window; after fb_has() that changes nothing. */
#ifndef FB_AT
#define FB_AT(offset) (offset)
#endif

/* The value itself. A kernel program makes it one that its verifier knows nothing of: walking over headers that come in any
 * order, it would else follow every order by itself. */
#ifndef FB_FORGET
#define FB_FORGET(view, value) (value)
#endif

/* A frame: the bytes that were captured, and how many were on the wire. */
struct fb_view {
	const fb_u8 *data;
	fb_u32 captured;
	fb_u32 wire;
};

/* Whether `size` bytes from `offset` were captured. */
FB_INLINE int fb_has(const struct fb_view *view, fb_u32 offset, fb_u32 size)
{
	return offset <= view->captured && size <= view->captured - offset;
}

/* Whether `size` bytes from `offset` were on the wire. */
FB_INLINE int fb_had(const struct fb_view *view, fb_u32 offset, fb_u32 size)
{
	return offset <= view->wire && size <= view->wire - offset;
}

FB_INLINE fb_u8 fb_load8(const struct fb_view *view, fb_u32 offset)
{
	return view->data[FB_AT(offset)];
}

/* The BPF back end takes a word of unknown alignment apart into bytes, which the processors that run it need not. */
#ifdef __bpf__
FB_INLINE fb_u16 fb_load16(const struct fb_view *view, fb_u32 offset)
{
	return __builtin_bswap16(*(const fb_u16 *)(view->data + FB_AT(offset)));
}

FB_INLINE fb_u32 fb_load32(const struct fb_view *view, fb_u32 offset)
{
	return __builtin_bswap32(*(const fb_u32 *)(view->data + FB_AT(offset)));
}
#else
FB_INLINE fb_u16 fb_load16(const struct fb_view *view, fb_u32 offset)
{
	return (fb_u16)((fb_u16)(view->data[offset] << 8) | view->data[offset + 1]);
}

FB_INLINE fb_u32 fb_load32(const struct fb_view *view, fb_u32 offset)
{
	return ((fb_u32)fb_load16(view, offset) << 16) | fb_load16(view, offset + 2);
}
#endif

/* Little-endian, for headers written in the byte order of the capturing machine. */
FB_INLINE fb_u16 fb_load16_le(const struct fb_view *view, fb_u32 offset)
{
	return (fb_u16)((fb_u16)(fb_load8(view, offset + 1) << 8) | fb_load8(view, offset));
}

/* Eight bytes as they lie in the frame (for addresses, which are compared and hashed but not counted with). */
FB_INLINE fb_u64 fb_load64_raw(const struct fb_view *view, fb_u32 offset)
{
#ifdef __bpf__
	return *(const fb_u64 *)(view->data + FB_AT(offset));
#else
	fb_u64 word;

	__builtin_memcpy(&word, view->data + offset, sizeof(word));
	return word;
#endif
}

#endif
