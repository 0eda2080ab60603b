// What both suites of tools/image.h share: files made by hand or by libpng's own calls, so that the readers are not
// tested against the writers alone, and expectations. Everything is decoded from blocks of the very size, so that a
// sanitizer sees a byte read beyond them.
#ifndef IMAGE_BYTES_H
#define IMAGE_BYTES_H

#include "image.h"
#include "suite.h"

// Unlike ck_assert it writes nothing where it holds: some loops come here a hundred thousand times.
#define REQUIRE(what, ...)                                                                                             \
    do {                                                                                                               \
        if (!(what))                                                                                                   \
            ck_abort_msg(__VA_ARGS__);                                                                                 \
    } while (0)

typedef struct bytes {
    uint8_t at[8192];
    size_t length;
} bytes;

void add(bytes *b, const void *what, size_t length);
bytes text(const char *what);

isg_status decode(image *out, const void *what, size_t length, isg_error *error);
image read_good(const void *what, size_t length);
bytes encoded(const image *im, image_format format);
// An image of random samples up to white; of float32 any bits at all.
image random_image(suite_random *random, isg_dtype dtype, int64_t rows, int64_t columns, int64_t channels,
                   uint32_t white);
// Likewise of RGB in 8 bits, with a colour profile.
image image_with_profile(suite_random *random);

// The status, one line that says `words`, and nothing to free.
#define refuse(b, wanted, words) refuse_at(__LINE__, b, wanted, words)
void refuse_at(int line, const bytes *b, isg_status wanted, const char *words);

// ---- PNG ----

typedef struct png_kind {
    int colours, depth, interlace;
    bool keyed;  // with tRNS
    int palette; // colours in it
    int side;    // pixels along each side
    bool notes;
} png_kind;

// A PNG of samples of pixel_sample; of a palette, the remainders by its colours.
bytes made_png(const png_kind *k);
uint32_t pixel_sample(int i, int j, int c, int depth);

uint32_t crc_of(const uint8_t *at, size_t length);
void put32(uint8_t *at, uint32_t value); // the highest byte first
// Makes the checksums of a PNG's chunks right again, so that what was changed is looked at.
void mend(bytes *b);

#endif
