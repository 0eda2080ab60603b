// Images as arrays: PNG, PGM and PPM (netpbm's, text and binary), PFM (its kin of floating-point numbers).
//
// Decoded from memory, so that nothing here waits for files, and what a file claims is held against the bytes that are
// there before memory is taken for it. Samples are never rescaled: what a file stores is what the array holds, but for
// PNGs of 1, 2 and 4 bits, which are spread over 0 … 255, and palettes, which become their colours.
#ifndef ISG_TOOLS_IMAGE_H
#define ISG_TOOLS_IMAGE_H

#include <isogram/base.h>

#include <stdbool.h>
#include <stdio.h>

typedef enum image_format {
    IMAGE_NONE = 0,
    IMAGE_PNG,
    IMAGE_PGM,
    IMAGE_PPM,
    IMAGE_PNM, // as a name for an output: PGM or PPM, by the channels
    IMAGE_PFM,
    IMAGE_FORMAT_COUNT
} image_format;

// What a file says about its samples, kept from PNG to PNG and from PFM to PFM.
typedef struct image_notes {
    bool has_gamma, has_primaries, has_intent, has_pitch;
    int32_t gamma;         // gAMA, in 1/100000
    int32_t primaries[8];  // cHRM: white, red, green, blue, each x and y, in 1/100000
    int intent;            // sRGB
    uint32_t pitch[2];     // pHYs: pixels along x and y …
    int pitch_unit;        // … per metre (1), or only their ratio (0)
    char profile_name[80]; // iCCP
    uint8_t *profile;      // belongs to the image; NULL: none
    uint32_t profile_bytes;
    float scale; // of a PFM, above 0; 0: another format
} image_notes;

typedef struct image {
    image_format format;
    // rows x columns of one channel, or rows x columns x channels of more: 2 grey and alpha, 3 RGB, 4 RGB and alpha.
    // Row-major, the top row first. ISG_U8 or ISG_U16; of a PFM ISG_F32.
    isg_array array;
    uint32_t white; // the largest sample there may be: 255, 65535, or what a PGM or PPM says; 0: floating-point numbers
    image_notes notes;
    void *block; // where the array lies; freed by image_free
} image;

// The format that a file's first bytes tell, 8 of them at least unless it is shorter; IMAGE_NONE: none of these.
enum { IMAGE_MAGIC_BYTES = 8 };
image_format image_format_of(const void *bytes, int64_t count);

// "png", "pgm", …; the format of a word, and of a path's ending in any case, such as "x.PNG". IMAGE_NONE: none of
// these.
const char *image_format_name(image_format format);
image_format image_format_named(const char *word);
image_format image_format_of_path(const char *path);

// Reads the one image that `count` bytes are. Fails with ISG_ERR_FORMAT (not an image, cut short, damaged, or a header
// that lies), ISG_ERR_OVERFLOW or ISG_ERR_MEMORY, in one line without the file's name; there is nothing to free then.
// A bitmap (P1, P4) and a PAM (P7) are refused by name.
isg_status image_decode(image *out, const void *bytes, int64_t count, isg_error *error);

// Whether a format can hold an array of this type and shape; the message says what it can hold.
isg_status image_check(image_format format, isg_dtype dtype, int32_t ndim, const int64_t *shape, uint32_t white,
                       isg_error *error);

// Writes an image in a format that image_check has passed. image->white: samples above it become it. PGM and PPM are
// written in binary, PFM in little-endian.
isg_status image_encode(FILE *to, const image *im, image_format format, isg_error *error);

void image_free(image *im);

// ---- Within these rooms ----

// 1 for two dimensions.
int64_t image_channels(const image *im);

// Provides an array of this type and size, of channels 1 … 4, once its data is known to be there.
isg_status image_provide(image *im, isg_dtype dtype, int64_t rows, int64_t columns, int64_t channels, isg_error *error);

// ISG_ERR_FORMAT: what was there and what would be needed at least, in bytes.
isg_status image_cut_short(int64_t have, int64_t need, isg_error *error);

isg_status image_decode_png(image *out, const void *bytes, int64_t count, isg_error *error);
isg_status image_decode_pnm(image *out, const void *bytes, int64_t count, isg_error *error);
isg_status image_decode_pfm(image *out, const void *bytes, int64_t count, isg_error *error);
isg_status image_encode_png(FILE *to, const image *im, isg_error *error);
isg_status image_encode_pnm(FILE *to, const image *im, isg_error *error);
isg_status image_encode_pfm(FILE *to, const image *im, isg_error *error);

#endif
