/*
 * key_words.h: how a key lies in a set, and where: for the set itself and for those who ask it of many rows at once.
 */
#ifndef VEDFOLNIR_KEY_WORDS_H
#define VEDFOLNIR_KEY_WORDS_H

#include "ext/key_set.h"

/* How many words a key takes, 0 where it cannot be packed. */
int vdf_key_words_of(int ncolumns, const Oid *types, const Oid *collations, VdfKeyKind *kinds);
int vdf_key_words_of_kind(VdfKeyKind kind);
/* What vdf_key_pack() took out of line, or out of its compression, for one look-up. */
void vdf_key_release(const VdfKeySet *set, const Datum *values, const uint64 *words);
/* The values of the key in a slot; those by reference point into the set. */
void vdf_key_unpack(const VdfKeySet *set, uint32 slot, Datum *values);
/* A hash, and where the value is once it is in line and not compressed. */
void vdf_value_pack(VdfKeyKind kind, Datum value, uint64 *words);
bool vdf_same_value(VdfKeyKind kind, uint64 a, uint64 b);

static inline uint64 integer_of(Datum value, Oid type)
{
    if (type == INT8OID)
        return (uint64) DatumGetInt64(value);
    return type == INT4OID ? (uint64) (int64) DatumGetInt32(value) : (uint64) (int64) DatumGetInt16(value);
}

static inline void vdf_key_pack(const VdfKeySet *set, const Datum *values, const Oid *types, uint64 *words)
{
    for (int i = 0; i < set->ncolumns; i++)
        switch (set->kind[i]) {
        case VDF_KEY_INTEGER: *words++ = integer_of(values[i], types[i]); break;
        case VDF_KEY_FIXED4: *words++ = (uint64) DatumGetUInt32(values[i]); break;
        case VDF_KEY_FIXED8: *words++ = (uint64) DatumGetInt64(values[i]); break;
        case VDF_KEY_UUID:
            memcpy(words, DatumGetPointer(values[i]), UUID_LEN);
            words += 2;
            break;
        case VDF_KEY_TEXT:
        case VDF_KEY_PADDED:
        case VDF_KEY_BYTES:
        case VDF_KEY_NUMERIC:
            vdf_value_pack(set->kind[i], values[i], words);
            words += 2;
            break;
        }
}

/* A call of memcpy() would cost more than the few words. */
static inline void vdf_key_copy(const VdfKeySet *set, uint64 *to, const uint64 *from)
{
    for (int i = 0; i < set->words; i++)
        to[i] = from[i];
}

static inline uint64 vdf_key_hash(const VdfKeySet *set, const uint64 *words)
{
    uint64 h = words[0];

    for (int i = 1; i < set->words; i++)
        if ((set->places & (1U << i)) == 0)
            h = (h ^ (h >> 29)) * UINT64CONST(0xBF58476D1CE4E5B9) + words[i];
    return h * UINT64CONST(0x9E3779B97F4A7C15);
}

/* The bits of the hash that say least about the slot. */
static inline uint8 vdf_key_tag(uint64 hash)
{
    uint8 tag = (uint8) (hash >> 56);

    return tag != 0 ? tag : 1;
}

static inline bool vdf_same_key(const VdfKeySet *set, const uint64 *a, const uint64 *b)
{
    uint64 difference = a[0] ^ b[0];

    for (int i = 1; i < set->words; i++)
        if ((set->places & (1U << i)) == 0)
            difference |= a[i] ^ b[i];
    for (int i = 1; difference == 0 && set->places != 0 && i < set->words; i++)
        if ((set->places & (1U << i)) != 0 && !vdf_same_value(set->placed[i], a[i], b[i]))
            return false;
    return difference == 0;
}

#define VDF_EACH_BYTE(b) (UINT64CONST(0x0101010101010101) * (b))

/* The highest bit of each byte that is zero. */
static inline uint64 vdf_zero_bytes(uint64 bytes)
{
    const uint64 low = VDF_EACH_BYTE(0x7f);

    return ~(((bytes & low) + low) | bytes | low);
}

static inline uint64 vdf_tags_at(const VdfKeySet *set, uint32 slot)
{
    uint64 tags;

    memcpy(&tags, set->tags + slot, sizeof(tags));
#ifdef WORDS_BIGENDIAN
    tags = pg_bswap64(tags);
#endif
    return tags;
}

/* The slot of the first byte that is marked, of eight from this slot on. */
static inline uint32 vdf_byte_slot(const VdfKeySet *set, uint32 slot, uint64 bytes)
{
    return (slot + pg_rightmost_one_pos64(bytes) / BITS_PER_BYTE) & set->mask;
}

/*
 * The slot that holds the key, or the empty one where it belongs. Tags are read eight at a time: they fit into a cache
 * that the keys are too large for, and a key that is not in the set is seldom compared with any.
 */
static inline uint32 vdf_key_probe_slot(const VdfKeySet *set, const uint64 *words, uint64 hash)
{
    const uint64 wanted = VDF_EACH_BYTE((uint64) vdf_key_tag(hash));

    for (uint32 slot = (uint32) (hash >> 32) & set->mask;; slot = (slot + sizeof(uint64)) & set->mask) {
        uint64 tags = vdf_tags_at(set, slot), empty = vdf_zero_bytes(tags);

        for (uint64 equal = vdf_zero_bytes(tags ^ wanted) & ((empty & -empty) - 1); equal != 0; equal &= equal - 1) {
            uint32 at = vdf_byte_slot(set, slot, equal);

            if (vdf_same_key(set, set->keys + (Size) at * set->words, words))
                return at;
        }
        if (empty != 0)
            return vdf_byte_slot(set, slot, empty);
    }
}

#endif
