// What --nan and --memory of isogram filter say.
#ifndef ISG_TOOLS_FILTER_WORDS_H
#define ISG_TOOLS_FILTER_WORDS_H

#include <isogram/filter.h>

#include <stdbool.h>

// "ignore", "preserve=0", "fill=0.5", …; a number of bytes. False after a usage error, which has been printed.
bool take_nan(isg_filter_params *params, const char *value);
bool take_memory(isg_filter_params *params, const char *value);

#endif
