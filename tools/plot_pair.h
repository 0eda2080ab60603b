// Two images side by side, in their own colours, as one PNG. Draws on the sheet of plot.h.
#ifndef ISG_TOOLS_PLOT_PAIR_H
#define ISG_TOOLS_PLOT_PAIR_H

#include <isogram/base.h>

// before, after: of one shape, rows x columns, or rows x columns x channels of 2 (grey and alpha), 3 (RGB) or 4 (RGB
// and alpha); any dtype and strides. Black is 0 and white is `white`; where that is 0, they are the least and the
// greatest colour of `before`. If `after` goes beyond that, as derivatives do, they are the least and the greatest of
// its own. Alpha is laid over a chequered ground. Fails with ISG_ERR_SHAPE, ISG_ERR_MEMORY or ISG_ERR_IO; the message
// begins with the path.
isg_status plot_pair(const char *path, const isg_array *before, const isg_array *after, uint32_t white,
                     isg_error *error);

#endif
