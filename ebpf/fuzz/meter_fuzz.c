/* libFuzzer target of the C core: bytes are a sequence of frames, each parsed and, where accepted, added to a flow.
 *
 * clang -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all ebpf/fuzz/meter_fuzz.c -o meter_fuzz
 * ./meter_fuzz -max_total_time=600 -max_len=4096 CORPUS
 *
 * `ebpf/examples/meter_fuzz.rs --corpus FOLDER` writes a corpus. Every frame is copied into memory of exactly its size, so that a
 * byte read beyond it is found. What must hold of every accepted packet is asserted.
 */
#include "../c/flow.h"
#include "../c/key.h"
#include "../c/parse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static const fb_u32 link_types[] = {0, 1, 9, 10, 12, 14, 50, 101, 108, 113, 228, 229, 239, 276, 147};

static const struct fb_limits limits = {120000000, 120000000, 5000000};

static void check_packet(const struct fb_packet *packet, fb_u32 captured)
{
	assert(packet->ip_bytes <= FB_IP_BYTES_MAX);
	assert(packet->header_bytes + packet->payload_bytes == packet->ip_bytes);
	assert(packet->version == 4 || packet->version == 6);
	assert(packet->payload_offset <= captured + FB_IP_BYTES_MAX);
}

static void check_flow(const struct fb_flow *flow)
{
	const struct fb_direction *way;
	fb_u32 i;

	assert(flow->last <= FB_ACTIVE_US_MAX);
	assert(flow->idle_sum <= flow->last);
	assert(flow->active_start <= flow->last);
	for (i = 0; i < 2; i++) {
		way = &flow->way[i];
		assert(way->first <= way->last && way->last <= flow->last);
		assert(way->bulk_duration <= flow->last);
		assert(way->payload + way->header == way->bytes);
	}
}

int LLVMFuzzerTestOneInput(const fb_u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const fb_u8 *data, size_t size)
{
	struct fb_flow flow;
	fb_u32 open = 0, frames;
	fb_i64 now = 1700000000000000;

	for (frames = 0; frames < 64 && size >= 6; frames++) {
		fb_u32 link = link_types[data[0] % (sizeof(link_types) / sizeof(link_types[0]))];
		size_t length = ((size_t)data[1] << 8) | data[2];
		fb_u32 over = data[3];
		fb_i64 gap = (fb_i64)(signed char)data[4] * (1ll << (data[5] % 28));
		struct fb_packet packet;
		struct fb_key key;
		fb_u8 *frame;

		data += 6;
		size -= 6;
		if (length > size)
			length = size;
		frame = malloc(length ? length : 1);
		memcpy(frame, data, length);
		if (fb_parse(link, frame, (fb_u32)length, (fb_u32)length + over, &packet) == FB_ACCEPTED) {
			fb_u32 swapped = fb_key_of(&packet, &key);
			enum fb_verdict verdict = FB_IDLE_TIMEOUT;

			check_packet(&packet, (fb_u32)length);
			now += gap;
			if (open)
				verdict = fb_flow_judge(&flow, &packet, now, &limits);
			if (verdict == FB_NEXT_SEGMENT)
				fb_flow_continue(&flow, now);
			else if (verdict != FB_GOES_ON)
				fb_flow_begin(&flow, now, swapped);
			open = !(fb_flow_add(&flow, &packet, now, swapped, &limits) & FB_ENDED);
			if (!open)
				fb_run_close(&flow);
			check_flow(&flow);
		}
		free(frame);
		data += length;
		size -= length;
	}
	return 0;
}
