/* Bilinear resizing of 8-bit RGB images, with antialiasing when shrinking, to Pillow's pixels. */
#ifndef REID_RESAMPLE_H
#define REID_RESAMPLE_H

#include <stdint.h>

/* Resize source (height, width, 3) to target (new_height, new_width, 3), both without gaps.
   Rows are interpolated before columns, or after them. Returns 0, or -1 where there is no memory. */
int reid_resize(const uint8_t *source, int height, int width, uint8_t *target, int new_height,
                int new_width, int columns_first);

/* Write image (pixels, 3) as floats (3, pixels), by a table of 256 values a channel. */
void reid_planes(const uint8_t *image, int64_t pixels, const float *table, float *target);

#endif
