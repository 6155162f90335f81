/* The kinds of faults: what fault.c has in its table. */
#ifndef HF_SIM_FAULT_KIND_H
#define HF_SIM_FAULT_KIND_H

#include "sim/lib/process.h"

#define MS UINT64_C(1000)
#define SECOND UINT64_C(1000000)

/* False: there was nothing to do it to, or it is counted when it comes. */
typedef bool (*inject)(struct world *w);

static inline struct random *fault_dice(struct world *w)
{
	return &w->for_faults;
}

/* Any machine, half of the time the one that leads. */
struct machine *fault_victim(struct world *w);
/* The one that serves, or NULL. */
struct process *fault_leader(struct world *w);
/* How long a fault lasts that ends by itself. */
uint64_t fault_time(struct world *w);

/* fault_process.c */
bool inject_crash(struct world *w);
bool inject_crash_in_step(struct world *w);
bool inject_crash_all(struct world *w);
bool inject_restart(struct world *w);
bool inject_lag(struct world *w);
bool inject_pause(struct world *w);
bool inject_pause_long(struct world *w);
bool inject_pause_all(struct world *w);
bool inject_suspend(struct world *w);
bool inject_slow_node(struct world *w);
bool inject_slow_disk(struct world *w);
bool inject_wall_jump(struct world *w);
bool inject_clock_rate(struct world *w);
void fault_pause(struct process *p, uint64_t us);

/* fault_net.c */
bool inject_cut_pair(struct world *w);
bool inject_cut_one_way(struct world *w);
bool inject_isolate(struct world *w);
bool inject_split(struct world *w);
bool inject_bridge(struct world *w);
bool inject_rivals(struct world *w);
bool inject_ring(struct world *w);
bool inject_clog(struct world *w);
bool inject_reset(struct world *w);
bool inject_slow_link(struct world *w);
void fault_isolate(struct world *w, unsigned machine, uint64_t us);
void fault_heal_net(struct world *w);

/* fault_rift.c */
void rift_start(struct world *w);

/* fault_reign.c */
bool inject_transfer(struct world *w);
bool inject_three_leaders(struct world *w);
bool inject_short_reigns(struct world *w);

#endif
