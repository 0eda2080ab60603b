// Results become visible together: the array's file and its picture, or neither.
#ifndef ISG_TOOLS_DELIVER_H
#define ISG_TOOLS_DELIVER_H

#include "options.h"
#include "plot.h"

// Draws `a` where common->plot says and commits *file where common->output says. A failure is complained of, leaves
// what was there before, and gives EXIT_FAILED.
int deliver(const common_options *common, isg_npy **file, const isg_array *a, const plot_params *params);

#endif
