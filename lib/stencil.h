// Grids that are no products of profiles: Gaussians of any covariance, their derivatives, Gabor functions. Weights in
// double, the same bits on every host. No OpenCL.
#ifndef ISG_LIB_STENCIL_H
#define ISG_LIB_STENCIL_H

#include "recipe.h"
#include "twofold.h"

enum { ISG_STENCIL_WAVES = 3 }; // axes that a wave vector or a covariance may have

// A place x, in samples along the array's axes, is seen as u = F x. The Gaussian is exp(-u' C^-1 u / 2).
typedef struct isg_stencil {
    isg_grid_plan plan; // sizes and places; the sigmas are of no account
    bool turned;        // F is not the unit
    pair frame[ISG_GRID_MAX_NDIM][ISG_GRID_MAX_NDIM];
    // C = L D L': L has ones in its diagonal, below which stands `lower`; `pivot` is D, and `inverse` C^-1.
    pair lower[ISG_GRID_MAX_NDIM][ISG_GRID_MAX_NDIM], pivot[ISG_GRID_MAX_NDIM];
    pair inverse[ISG_GRID_MAX_NDIM][ISG_GRID_MAX_NDIM];
    int32_t order[ISG_GRID_MAX_NDIM]; // along u
    bool waves, quadrature;
    pair wave[ISG_GRID_MAX_NDIM], phase; // cycles per sample along the array's axes; turns
} isg_stencil;

// Whether these parameters ask for such a grid.
bool isg_stencil_wanted(const isg_grid_params *params);

// ISG_ERR_ARGUMENT, ISG_ERR_RANGE: the message names the field.
isg_status isg_stencil_resolve(isg_stencil *stencil, const isg_grid_params *params, isg_error *error);

// weights: output, row-major, as many doubles as the plan's sizes have. ISG_ERR_RANGE: nothing is left to normalise, or
// weights beyond 2^30.
isg_status isg_stencil_weights(const isg_stencil *stencil, double *weights, isg_error *error);

// Rounds to the dtype; what would be subnormal becomes +0.
void isg_stencil_round(const double *weights, int64_t count, isg_dtype dtype, void *out);

#endif
