// Gaussian grids: the stencil of weights that smooths an image, in one to four dimensions.
//
// A grid is the outer product of one profile per axis. A profile is (size, from, to, sigma, sampling), in units of
// samples; profiles are computed in double on the host, and a kernel assembles the grid on the device. Grids that are
// no such product, of rotated Gaussians, of derivatives and of Gabor functions, are computed in double on the host as a
// whole and rounded once.
#ifndef ISOGRAM_GRID_H
#define ISOGRAM_GRID_H

#include <isogram/context.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ISG_GRID_MAX_NDIM = 4 };

typedef struct isg_grid isg_grid;

// How the continuous Gaussian becomes a weight. None is the accurate one for every purpose: POINT is what most code
// does; INTEGRATED is right for a sensor's pixels; BESSEL for scale space, where smoothing twice must equal smoothing
// once with the summed variance.
typedef enum isg_sampling {
    ISG_SAMPLING_DEFAULT = 0, // POINT, or what the recipe says
    ISG_SAMPLING_POINT,       // exp(-x^2/(2 sigma^2)) at `size` places from `from` to `to`, both included
    ISG_SAMPLING_INTEGRATED,  // probability of each of `size` cells of equal width; from, to: the outer cell edges
    ISG_SAMPLING_DELTA,       // a unit impulse at size/2 through a filter of radius int(4 sigma + 0.5) whose tails
                              // fold back at the border (scipy.ndimage.gaussian_filter); takes no from, to
    ISG_SAMPLING_BESSEL,      // T(n, t) = exp(-t) I_n(t), t = sigma^2, at whole n (Lindeberg 1990)
    ISG_SAMPLING_COUNT
} isg_sampling;

typedef enum isg_normalize {
    ISG_NORMALIZE_DEFAULT = 0, // SUM, or what the recipe says
    ISG_NORMALIZE_SUM,         // all weights add up to 1
    ISG_NORMALIZE_NONE,        // as the sampling gives them
    ISG_NORMALIZE_MAX,         // the largest weight is 1
    ISG_NORMALIZE_DENSITY,     // the probability density: POINT over sigma sqrt(2 pi), INTEGRATED over the cell's width
    ISG_NORMALIZE_COUNT
} isg_normalize;

// "point", "sum", …: the words of the command line. Never NULL.
ISG_API const char *isg_sampling_name(isg_sampling sampling);
ISG_API const char *isg_normalize_name(isg_normalize normalize);

typedef struct isg_grid_params {
    const char *like;                // a recipe of isg_grid_recipes; NULL: none. Fields set below override it
    double nsig;                     // half-width in sigmas, for the recipes gkern and gkern-sqrt. 0: 3
    int32_t ndim;                    // 1 … 4. 0: 2
    int64_t size[ISG_GRID_MAX_NDIM]; // 0 beyond the first: the same as the first. First 0: the recipe's, else an error
    double sigma[ISG_GRID_MAX_NDIM]; // likewise. First 0: the recipe's, else an error. In samples
    // Coordinates of the first and last sample (INTEGRATED: of the outer cell edges). Both 0: the default, which is
    // -(size-1)/2 … (size-1)/2; INTEGRATED: -size/2 … size/2; BESSEL: -((size-1)/2, rounded down) and onwards.
    double from[ISG_GRID_MAX_NDIM];
    double to[ISG_GRID_MAX_NDIM];
    isg_sampling sampling;
    isg_normalize normalize;
    isg_precision precision; // of the grid; profiles are double always. DEFAULT: ISG_F64, ISG_F32 without it

    // What follows makes grids that are no products of profiles. They are sampled at points (other samplings are
    // refused), and `normalize` speaks of the Gaussian alone, which a derivative's polynomial or a wave then
    // multiplies.
    //
    // The rotated Gaussian exp(-x' C^-1 x / 2), x in samples along the array's axes: C, row-major, ndim x ndim, of 1 to
    // 3 axes, in place of sigma. All 0: none. ISG_ERR_ARGUMENT: not symmetric (but for rounding), not positive
    // definite, or within 1e-12 of being singular.
    double covariance[9];
    // Of 2 axes, in degrees, in place of a covariance: the grid is seen along u = x cos + y sin and v = y cos - x sin,
    // where x runs along columns and y down rows: from the columns towards the rows. sigma[1], order[1] and the wave
    // belong to u; sigma[0] and order[0] to v.
    double angle;
    // Of the derivative along each axis, 0 … 4; along u and v with an angle, along the array's axes with a covariance.
    int32_t order[ISG_GRID_MAX_NDIM];
    // Gabor functions: the Gaussian times cos(2 pi (f.x) + phase). The wave has a length in samples, or a frequency in
    // cycles per sample, along u (of one or two axes); or it is a vector, of 1 to 3 axes: cycles per sample along each
    // of the array's. All 0: no wave.
    double wavelength, frequency;
    double wave[3];
    double phase;       // in degrees
    int32_t quadrature; // 1: sin in place of cos
    double bandwidth;   // in octaves: sigma[0] = wavelength sqrt(ln 2 / 2)/pi (2^b + 1)/(2^b - 1). 0: sigma is given
    double gamma;       // sigma[0] is that along the wave, and sigma[0] / gamma the one across it. 0: none
} isg_grid_params;

#define isg_grid_params(...) (&(struct isg_grid_params){__VA_ARGS__})

// A recipe that people paste, with the parameters it stands for.
typedef struct isg_grid_recipe {
    const char *name;
    const char *summary;
    const char *warning; // NULL, or why one should not use it
} isg_grid_recipe;

// All recipes; the last has a NULL name.
ISG_API const isg_grid_recipe *isg_grid_recipes(void);

// Computes the profiles. ISG_ERR_ARGUMENT names the field that is out of range. params: copied, required.
ISG_API isg_status isg_grid_create(isg_context *context, isg_grid **out, const isg_grid_params *params);
ISG_API void isg_grid_destroy(isg_grid **grid);

// The number of axes; shape: ISG_GRID_MAX_NDIM entries, may be NULL.
ISG_API int32_t isg_grid_shape(const isg_grid *grid, int64_t *shape);
// The element type of the grid: ISG_F32 or ISG_F64.
ISG_API isg_dtype isg_grid_dtype(const isg_grid *grid);
// The weights along one axis, `shape[axis]` doubles that belong to the grid; NULL: no such axis, or the grid is no
// product. Their outer product, in double, is the grid.
ISG_API const double *isg_grid_profile(const isg_grid *grid, int32_t axis);

// Assembles the grid on the device. out: output, of the grid's dtype and shape, row-major without gaps. Blocks.
ISG_API isg_status isg_grid_fill(isg_grid *grid, isg_array out);

#ifdef __cplusplus
}
#endif

#endif
