// What fault_layer.so offers to a test in the same process: dlopen what OPENCL_LAYERS names, and dlsym these.
#ifndef ISG_TESTS_FAULT_LAYER_H
#define ISG_TESTS_FAULT_LAYER_H

// Call number `at` from now on, counted from 1, fails; 0: none does. Releases and waits are done before they fail,
// as of a device that was lost at the end; all else is not done.
typedef void fault_arm_fn(long at);
// OpenCL calls since the last arming, and the name of the one that failed; NULL: none did.
typedef long fault_calls_fn(void);
typedef const char *fault_fired_fn(void);
// Objects made or retained and not yet released, of all kinds.
typedef long fault_live_fn(void);
// A driver that lies: more than so many bytes of buffers can be made, but nothing works as long as there are. 0:
// honest.
typedef void fault_memory_fn(long bytes);
// Every call waits up to so many microseconds, each for another time.
typedef void fault_delay_fn(long microseconds);

#endif
