#include "lib/inloop.h"

#define LIMIT_MS 30000
#define LOOK_MS 2

static void on_time(uv_timer_t *timer)
{
	(void)timer; /* uv_run returns, and somebody looks */
}

static void on_closed(uv_handle_t *handle)
{
	*(bool *)handle->data = true;
}

bool inloop_until(uv_loop_t *loop, bool (*done)(void *arg), void *arg)
{
	uv_timer_t look;

	uv_update_time(loop);
	uint64_t end = uv_now(loop) + LIMIT_MS;
	uv_timer_init(loop, &look);
	uv_timer_start(&look, on_time, LOOK_MS, LOOK_MS);
	bool is_done = done(arg);
	while (!is_done && uv_now(loop) < end) {
		uv_run(loop, UV_RUN_ONCE);
		is_done = done(arg);
	}
	bool closed = false;
	look.data = &closed;
	uv_close((uv_handle_t *)&look, on_closed);
	while (!closed)
		uv_run(loop, UV_RUN_NOWAIT);
	return is_done;
}

static bool is_over(void *arg)
{
	return uv_hrtime() / 1000000 >= *(uint64_t *)arg;
}

void inloop_for(uv_loop_t *loop, uint64_t ms)
{
	uint64_t end = uv_hrtime() / 1000000 + ms;

	inloop_until(loop, is_over, &end);
}
