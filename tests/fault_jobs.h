// Ways through the library that tests of its failures take, by its public functions alone: test_faults.c and
// test_host_faults.c make every call fail that each of them makes.
#ifndef ISG_TESTS_FAULT_JOBS_H
#define ISG_TESTS_FAULT_JOBS_H

#include "suite.h"

#include <isogram/isogram.h>

#include <stdbool.h>

typedef struct fault_job {
    const char *name;
    // From the making of everything to its end, its result in fault_result. error: the context's, unless the job says
    // otherwise. ISG_STATUS_COUNT: something that must not be, as the error's message says. Nothing of Check is called,
    // whose calls would fail, too.
    isg_status (*run)(isg_context *context, isg_error *error);
    bool doubles; // needs them
    bool modern;  // needs OpenCL C 1.2
    bool timed;   // half a second in each run, and no results to compare: one call of many fails in the ordinary test
} fault_job;

// Lists that end in an entry without a name.
extern const fault_job fault_jobs_of_operators[], fault_jobs_of_images[], fault_jobs_of_files[],
    fault_jobs_of_devices[];
extern const fault_job *const fault_jobs[4];

// What jobs work on, filled once, and where their results go.
enum {
    FAULT_ROWS = 90,
    FAULT_COLS = 70,
    FAULT_DIMS = 5,
    FAULT_COLUMNS = 40,
    FAULT_DEPTH = 9,
    FAULT_HEIGHT = 20,
    FAULT_WIDTH = 31,
    FAULT_RESULT_BYTES = 1 << 17
};
extern float fault_x[FAULT_ROWS * FAULT_DIMS], fault_y[FAULT_COLS * FAULT_DIMS], fault_v[FAULT_ROWS * FAULT_COLUMNS];
extern double fault_wide[FAULT_ROWS * FAULT_DIMS];
extern uint8_t fault_volume[FAULT_DEPTH * FAULT_HEIGHT * FAULT_WIDTH];
extern _Alignas(64) unsigned char fault_result[FAULT_RESULT_BYTES];

#define FAULT_X isg_matrix_f32(fault_x, FAULT_ROWS, FAULT_DIMS)
#define FAULT_Y isg_matrix_f32(fault_y, FAULT_COLS, FAULT_DIMS)

// A view of the results, `at` bytes from their beginning.
static inline isg_array fault_out(isg_dtype dtype, int64_t at, int64_t rows, int64_t cols)
{
    return isg_matrix(dtype, fault_result + at, rows, cols);
}

// A promise was broken.
isg_status fault_broken(isg_error *error, const char *what);

// Fills the inputs, and goes to a folder that is new and empty; fault_end removes it. True: it is done.
bool fault_begin(void);
bool fault_end(void);
// Removes a folder with all that is in it.
bool fault_remove(const char *path);

// Whether what fails goes on to fail; else a job may try once more what must not fail twice.
extern bool fault_lasts;

// Objects of OpenCL that a job keeps for all its runs, as what it does to them must not fail: released here.
void fault_release_kept(void);

#endif
