/* How the core reaches into a kernel program's memory; to be included before anything of the core. */
#ifndef FB_LIVE_BOUNDS_H
#define FB_LIVE_BOUNDS_H

/* Bytes of headers that are looked at; what lies behind them counts as not captured. A power of two. */
#define FB_WINDOW 4096u
/* Bytes that are copied first: only headers that go on behind them are worth the rest. */
#define FB_WINDOW_FIRST 256u
/* No load is longer than this, so that one at the last masked offset stays within window and slack. */
#define FB_WINDOW_SLACK 8u
#define FB_AT(offset) ((offset) & (FB_WINDOW - 1))

/* The slack is 0 for ever, which the verifier does not know. */
#define FB_FORGET(view, value) ((value) | *(const volatile fb_u32 *)((view)->data + FB_WINDOW))

/* Packets that are not cut yet may be longer than those of the wire ("BIG TCP": 512 KiB). */
#define FB_IP_BYTES_MAX (1u << 20)

#endif
