/* Faults of a machine: writes that fail, a disk that is full, snapshots that
 * can't be read, damage at rest, memory that runs out.
 *
 * A member whose disk has failed, or which can't go on without memory, ends its
 * part; somebody restarts it. One whose disk is damaged must refuse to start,
 * and is out for good: only a change of the members could replace it. So a
 * minority at most is damaged. */
#ifndef HF_SIM_FAULT_MACHINE_H
#define HF_SIM_FAULT_MACHINE_H

enum machine_fault {
	MACHINE_WRITE_ERROR,
	MACHINE_DISK_FULL,
	MACHINE_READ_ERROR,
	MACHINE_DAMAGE,
	MACHINE_NO_MEMORY,
	MACHINE_FAULTS
};

struct world;

void machine_faults_start(struct world *w);
void machine_faults_stop(struct world *w);

#endif
