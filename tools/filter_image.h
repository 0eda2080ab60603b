// What images ask of isogram filter: which axis is channels, what alpha means, which format and type the output has.
#ifndef ISG_TOOLS_FILTER_IMAGE_H
#define ISG_TOOLS_FILTER_IMAGE_H

#include "array_file.h"
#include "options.h"

typedef enum alpha_rule {
    ALPHA_DEFAULT = 0, // PREMULTIPLIED for a PNG that has alpha, else PLAIN
    ALPHA_PREMULTIPLIED,
    ALPHA_PLAIN,
} alpha_rule;

typedef struct image_options {
    bool channels;      // --channels: the last axis is not filtered
    alpha_rule alpha;   // --alpha
    const char *format; // --format; NULL: by the output's name
    bool has_channels;  // settled: the last axis is channels, and no axis to filter
    bool premultiplied; // settled: the last of them is alpha, and colours count by it
} image_options;

// --alpha and --format. False after a usage error, which has been printed.
bool take_alpha(image_options *o, const char *value);
bool take_format(image_options *o, const char *value);

// Decides what o->has_channels is, and fills in the axes of params where none were named. False after a complaint.
bool settle_channels(image_options *o, const array_file *in, const char *output, isg_filter_params *params);

// Decides whether colours are premultiplied, once params has a value for each axis. False after a complaint.
bool settle_alpha(image_options *o, const array_file *in, const isg_filter_params *params);

// The sample that is white: the image's, or the largest of the type; 0: floating-point numbers.
uint32_t white_of(const array_file *in);

// What the output is to be. output: NULL: none. dtype: as asked for, or ISG_DTYPE_NONE. shape: is kept in `kind`. False
// after a complaint.
bool settle_kind(const image_options *o, const array_file *in, const char *output, isg_dtype dtype, int32_t ndim,
                 const int64_t *shape, array_file_kind *kind);

// isg_filter; where colours are premultiplied, of colours times alpha and of alpha, in `precision`, and the quotient of
// both: a pixel counts by how much of it there is, and is 0 where there is nothing. An opaque image is filtered as it
// is, unless mode constant puts something else around it. A failure's message is in `error`.
isg_status filter_image(isg_context *context, const image_options *o, isg_array in, isg_array out,
                        const isg_filter_params *params, isg_precision precision, isg_error *error);

#endif
