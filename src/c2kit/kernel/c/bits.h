/* Bits at any place in bytes: how numbers are found in packets.
 *
 * Nothing here reads a byte that does not hold a bit of the element, so that an element that ends with a packet may end
 * with the last page of memory too. Compilers make single loads of these, and swap their bytes in one instruction.
 */
#ifndef C2KIT_BITS_H
#define C2KIT_BITS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t big_endian_16(const uint8_t *p) { return (uint64_t)p[0] << 8 | p[1]; }

static inline uint64_t big_endian_32(const uint8_t *p)
{
    return (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
}

static inline uint64_t big_endian_64(const uint8_t *p) { return big_endian_32(p) << 32 | big_endian_32(p + 4); }

static inline uint64_t little_endian_16(const uint8_t *p) { return (uint64_t)p[1] << 8 | p[0]; }

static inline uint64_t little_endian_32(const uint8_t *p)
{
    return (uint64_t)p[3] << 24 | (uint64_t)p[2] << 16 | (uint64_t)p[1] << 8 | p[0];
}

static inline uint64_t little_endian_64(const uint8_t *p) { return little_endian_32(p + 4) << 32 | little_endian_32(p); }

/* The unsigned integer of 1 to 8 bytes, the first of them the most significant. */
static inline uint64_t big_endian(const uint8_t *p, int bytes)
{
    switch (bytes) {
    case 1: return p[0];
    case 2: return big_endian_16(p);
    case 3: return big_endian_16(p) << 8 | p[2];
    case 4: return big_endian_32(p);
    case 5: return big_endian_32(p) << 8 | p[4];
    case 6: return big_endian_32(p) << 16 | big_endian_16(p + 4);
    case 7: return big_endian_32(p) << 24 | big_endian_16(p + 4) << 8 | p[6];
    default: return big_endian_64(p);
    }
}

/* The same, the first of them the least significant. */
static inline uint64_t little_endian(const uint8_t *p, int bytes)
{
    switch (bytes) {
    case 1: return p[0];
    case 2: return little_endian_16(p);
    case 3: return (uint64_t)p[2] << 16 | little_endian_16(p);
    case 4: return little_endian_32(p);
    case 5: return (uint64_t)p[4] << 32 | little_endian_32(p);
    case 6: return little_endian_16(p + 4) << 32 | little_endian_32(p);
    case 7: return (uint64_t)p[6] << 48 | little_endian_16(p + 4) << 32 | little_endian_32(p);
    default: return little_endian_64(p);
    }
}

/* The `bits` (1 to 64) that begin `skipped` (0 to 7) bits into the first of `bytes`, which they reach to the last of.
 *
 * `bytes`, 1 to 9, follows from the other two; a caller that knows it beforehand spares the compiler a branch.
 */
static inline uint64_t big_endian_bits(const uint8_t *p, int bytes, int skipped, int bits)
{
    if (bytes <= 8)
        return big_endian(p, bytes) << (64 - 8 * bytes + skipped) >> (64 - bits);
    return (big_endian_64(p) << skipped | p[8] >> (8 - skipped)) >> (64 - bits);
}

/* The same where each byte's bits are counted from its least significant one, which is the value's too. */
static inline uint64_t little_endian_bits(const uint8_t *p, int bytes, int skipped, int bits)
{
    if (bytes <= 8)
        return little_endian(p, bytes) << (64 - skipped - bits) >> (64 - bits);
    return (little_endian_64(p) >> skipped | (uint64_t)p[8] << (64 - skipped)) << (64 - bits) >> (64 - bits);
}

static inline void put_big_endian_64(uint8_t *p, uint64_t value)
{
    p[0] = (uint8_t)(value >> 56);
    p[1] = (uint8_t)(value >> 48);
    p[2] = (uint8_t)(value >> 40);
    p[3] = (uint8_t)(value >> 32);
    p[4] = (uint8_t)(value >> 24);
    p[5] = (uint8_t)(value >> 16);
    p[6] = (uint8_t)(value >> 8);
    p[7] = (uint8_t)value;
}

/* A pattern of 1 to 64 bits as a two's complement number. */
static inline int64_t sign_extended(uint64_t pattern, int bits)
{
    return (int64_t)(pattern << (64 - bits)) >> (64 - bits);
}

#endif
