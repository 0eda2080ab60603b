// Covariance functions put together from rows, as a list of steps for a stack: rows push a value, operations replace
// what lies on top.
#ifndef ISG_LIB_COMPOSITE_H
#define ISG_LIB_COMPOSITE_H

#include "base.h"

#include <isogram/kernel.h>

enum { ISG_MAX_STEPS = 63, ISG_MAX_ROWS = 16 };

typedef enum isg_step_kind { ISG_STEP_ROW, ISG_STEP_SUM, ISG_STEP_PRODUCT, ISG_STEP_MULTIPLE } isg_step_kind;

typedef struct isg_step {
    isg_step_kind kind;
    double factor;            // MULTIPLE
    isg_kernel_params params; // ROW; its settings lie here
    isg_setting settings[ISG_MAX_PARAMS];
} isg_step;

struct isg_composite {
    int count, rows;
    isg_step steps[ISG_MAX_STEPS];
};

// The params of a ROW, settings and all.
isg_kernel_params isg_step_params(const isg_step *step);

// A single row without an allocation; params' settings are copied.
isg_status isg_composite_set(isg_composite *composite, const isg_kernel_params *params, isg_error *error);

#endif
