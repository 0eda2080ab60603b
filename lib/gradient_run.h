// A gradient's sums on the device.
#ifndef ISG_LIB_GRADIENT_RUN_H
#define ISG_LIB_GRADIENT_RUN_H

#include "gradient_work.h"
#include "gram.h"

// An isg_gradient_compute; user: the gram.
isg_status isg_gradient_pass_run(void *user, const isg_gradient_pass *pass);

#endif
