/* Cyclic redundancy checks of up to 64 bits, eight bytes a step. */
#ifndef C2KIT_CRC_H
#define C2KIT_CRC_H

#include <stdbool.h>
#include <stdint.h>

/* Where bytes come in with their least significant bit first, the register is mirrored: its least significant bit
 * stands for the highest power. Otherwise it stands at the upper end of 64 bits. Either way a shorter CRC is a 64-bit
 * one whose other bits are 0. */
struct crc {
    int width;
    bool reflect_in, reflect_out;
    uint64_t initial, xor_out;
    uint64_t tables[8][256]; /* what a byte leaves behind that has 0 to 7 others after it */
};

/* `width` is 1 to 64, and the other parameters have no more bits. */
void crc_init(struct crc *crc, int width, uint64_t polynomial, uint64_t initial, bool reflect_in, bool reflect_out,
              uint64_t xor_out);

/* The CRC of each data[starts[i]:ends[i]]. */
void crc_of(const struct crc *crc, const uint8_t *data, const int64_t *starts, const int64_t *ends, int64_t count,
            uint64_t *values);

#endif
