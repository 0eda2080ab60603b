// What the fault layers offer: fault_layer.so, between the OpenCL loader and the driver, and host_faults.so, in front
// of the C library. To a test in the same process by these functions, which it finds with dlopen and dlsym; to a
// command by its environment:
//
//   ISOGRAM_FAULT_CALLS=N         fault_arm(N) in fault_layer.so
//   ISOGRAM_FAULT_HOST=N          fault_arm(N) in host_faults.so
//   ISOGRAM_FAULT_LEARN=1         fault_learn(1) in both
//   ISOGRAM_FAULT_REPORT=FILE     at its end each layer adds a line: LAYER CALLS LIVE FIRED WHERE; and one for each
//   call
//                                 that was noted: way LAYER CALL HASH, the hash being the way's in every process
#ifndef ISG_TESTS_FAULT_LAYER_H
#define ISG_TESTS_FAULT_LAYER_H

// Call number `at` from now on, counted from 1, fails; with a minus call number -at and all that follow; 0: none does.
// Releases and waits are done before they fail, as of a device that was lost at the end; all else is not done.
typedef void fault_arm_fn(long at);
// Calls since the last arming, and the name of the first one that failed; NULL: none did.
typedef long fault_calls_fn(void);
typedef const char *fault_fired_fn(void);
// Objects made or retained and not yet released, of all kinds.
typedef long fault_live_fn(void);
// The way to a call is its name and all places in the library that lead to it, from a public function on. While this is
// on, calls on ways that none went before are noted down.
typedef void fault_learn_fn(int on);
// The number, since the last arming, of the i-th call noted, i from 0; 0: there are no more.
typedef long fault_learnt_fn(long i);

// Of fault_layer.so alone.
//
// A driver that lies: more than so many bytes of buffers can be made, but nothing works as long as there are. 0:
// honest.
typedef void fault_memory_fn(long bytes);
// Every call waits up to so many microseconds, each for another time.
typedef void fault_delay_fn(long microseconds);

// Of host_faults.so alone.
//
// Where in the library the call that failed was made, as FILE+0xOFFSET for addr2line; "" when none did.
typedef const char *fault_where_fn(void);
// Whether each read and write is interrupted before it begins, and then moves one half of what it is asked to.
typedef void fault_halves_fn(int halves);

#endif
