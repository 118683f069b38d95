/* Program.write: packets to a whole Arrow record-batch message, whose body is the columns.
 *
 * What stands before the body is given, and only numbers in it are filled in: c2kit.batches.arrow knows where, and why.
 * The columns are two of times, and then for each field what it is converted to, if to anything, and its raw values.
 */
#include "program_object.h"

#include "arena.h"
#include "bits.h"
#include "decode.h"

/* One column in the message: where its validity bitmap and its values begin, and what they take. */
struct part {
    int64_t bitmap, values, bytes, missing;
};

/* A message while it is made. Flags of one byte a packet, which Python looks at but Arrow has no use for, stand aside. */
struct message {
    const struct program *program;
    struct packets packets;
    Py_buffer received, generated, is_generated;
    struct column *columns;
    struct converted *converted;
    struct part *parts;
    int32_t part_count;
    uint8_t *block, *side;
};

enum { TIMES = 2 };

static int64_t bitmap_bytes(int64_t count) { return (count + 7) / 8; }

/* Bits of flags, the first one in the least significant bit. */
static void pack_bits(const uint8_t *flags, int64_t count, uint8_t *bits)
{
    int64_t i = 0;
    for (; count - i >= 8; i += 8)
        bits[i / 8] = (uint8_t)((little_endian_64(flags + i) & 0x0101010101010101) * 0x0102040810204080 >> 56);
    for (int left = 0; i + left < count; left++)
        bits[i / 8] = (uint8_t)((left ? bits[i / 8] : 0) | (flags[i + left] & 1) << left);
}

/* The next column of so many bytes, with room for a bitmap where a packet may have no value. What is behind it up to the
 * next multiple of eight bytes is 0, and so is room that nothing is written to. */
static uint8_t *next_part(struct message *message, struct arena *arena, bool may_miss, int64_t bytes)
{
    int64_t count = message->packets.batch.count;
    struct part *part = &message->parts[message->part_count++];
    part->bitmap = arena->taken;
    uint8_t *bitmap = take(arena, may_miss ? bitmap_bytes(count) : 0);
    part->values = arena->taken;
    part->bytes = bytes;
    part->missing = 0;
    uint8_t *values = take(arena, bytes);
    if (arena->block) {
        memset(bitmap, 0, (size_t)(part->values - part->bitmap));
        memset(values + bytes, 0, (size_t)(arena->taken - part->values - bytes));
    }
    return values;
}

/* Divides memory among the columns; done twice, first to learn how much. */
static void message_divide(struct message *message, struct arena *arena, struct arena *side)
{
    const struct program *program = message->program;
    const struct batch *batch = &message->packets.batch;
    int32_t next = 0;
    message->part_count = 0;
    next_part(message, arena, false, 8 * batch->count);
    next_part(message, arena, message->is_generated.buf != NULL, 8 * batch->count);
    for (int32_t number = 0; number < program->count; number++) {
        const struct field *field = &program->fields[number];
        struct column *column = &message->columns[number];
        bool may_miss = !all_hold(field, batch);
        for (; next < program->conversion_count && program->conversions[next].field == number; next++) {
            const struct conversion *conversion = &program->conversions[next];
            struct converted *converted = &message->converted[next];
            *converted = (struct converted){0};
            converted->valid = may_lose(conversion) ? take(side, batch->count) : NULL;
            if (conversion->kind == TRUTH) {
                next_part(message, arena, may_miss, bitmap_bytes(batch->count));
                converted->values = take(side, batch->count);
            } else if (converted_width(conversion))
                converted->values = next_part(message, arena, may_miss || may_lose(conversion), 8 * batch->count);
        }
        *column = (struct column){0};
        column->values = next_part(message, arena, may_miss, batch->count * field->element.width);
        column->status = may_miss ? take(side, batch->count) : NULL;
    }
}

/* Where a value lies in the message or aside, and where what tells of each packet whether it has one; -1 for neither. */
struct place {
    int64_t values, valid;
};

/* Counts who has no value, and writes the bitmap where there is one. */
static void finish_part(struct message *message, struct part *part, const uint8_t *valid, int64_t missing)
{
    part->missing = missing;
    if (missing)
        pack_bits(valid, message->packets.batch.count, message->block + part->bitmap);
}

static int64_t absent_times(const struct message *message)
{
    const uint8_t *flags = message->is_generated.buf;
    int64_t absent = 0;
    for (int64_t i = 0; flags && i < message->packets.batch.count; i++)
        absent += !(flags[i] & 1);
    return absent;
}

/* Writes bitmaps and times, and tells where the columns of fields and then of conversions are. */
static void message_finish(struct message *message, struct place *places)
{
    const struct program *program = message->program;
    int64_t count = message->packets.batch.count;
    int32_t next = 0;
    struct part *part = message->parts;
    memcpy(message->block + part[0].values, message->received.buf, (size_t)(8 * count));
    memcpy(message->block + part[1].values, message->generated.buf, (size_t)(8 * count));
    finish_part(message, &part[1], message->is_generated.buf, absent_times(message));
    part += TIMES;
    for (int32_t number = 0; number < program->count; number++) {
        const struct column *column = &message->columns[number];
        for (; next < program->conversion_count && program->conversions[next].field == number; next++) {
            const struct conversion *conversion = &program->conversions[next];
            const struct converted *converted = &message->converted[next];
            struct place *place = &places[program->count + next];
            *place = (struct place){-1, -1};
            if (!converted->values)
                continue;
            const uint8_t *valid = may_lose(conversion) ? converted->valid : column->status;
            finish_part(message, part, valid, column->missing + (may_lose(conversion) ? converted->counted : 0));
            place->values = part->values;
            if (part->missing)
                place->valid = valid - message->side;
            if (conversion->kind == TRUTH) {
                pack_bits(converted->values, count, message->block + part->values);
                place->values = (uint8_t *)converted->values - message->side;
            }
            part++;
        }
        finish_part(message, part, column->status, column->missing);
        places[number] = (struct place){part->values, column->missing ? column->status - message->side : -1};
        part++;
    }
}

static void put(uint8_t *place, int64_t number) { memcpy(place, &number, 8); }

/* Where in what is before the body numbers are to be filled in: the body's size, the rows, and for each column its rows and
 * how many have no value, and where its two buffers begin and end. */
struct blanks {
    long long size, rows, nodes, buffers;
};

static void fill_in(const struct message *message, const struct blanks *blanks, int64_t head_bytes, int64_t bytes)
{
    int64_t count = message->packets.batch.count;
    put(message->block + blanks->size, bytes - head_bytes);
    put(message->block + blanks->rows, count);
    for (int32_t number = 0; number < message->part_count; number++) {
        const struct part *part = &message->parts[number];
        uint8_t *node = message->block + blanks->nodes + 16 * number;
        uint8_t *buffers = message->block + blanks->buffers + 32 * number;
        put(node, count);
        put(node + 8, part->missing);
        put(buffers, part->bitmap - head_bytes);
        put(buffers + 8, part->missing ? bitmap_bytes(count) : 0);
        put(buffers + 16, part->values - head_bytes);
        put(buffers + 24, part->bytes);
    }
}

/* Whether all numbers have a place before the body. */
static bool blanks_check(const struct blanks *blanks, int64_t head_bytes, int64_t parts)
{
    bool is_right = blanks->size >= 0 && blanks->size <= head_bytes - 8 && blanks->rows >= 0
        && blanks->rows <= head_bytes - 8 && blanks->nodes >= 0 && blanks->nodes <= head_bytes - 16 * parts
        && blanks->buffers >= 0 && blanks->buffers <= head_bytes - 32 * parts && head_bytes % 8 == 0;
    if (!is_right)
        PyErr_SetString(PyExc_ValueError, "no head of a message with so many columns");
    return is_right;
}

/* Whether each field is a number, and the times are as many as packets. */
static bool message_check(const struct message *message)
{
    int64_t count = message->packets.batch.count;
    bool is_right = message->received.len == 8 * count && message->generated.len == 8 * count
        && (!message->is_generated.buf || message->is_generated.len == count) && count < MOST_ELEMENTS;
    for (int32_t number = 0; number < message->program->count; number++)
        is_right &= is_number(&message->program->fields[number]);
    if (!is_right)
        PyErr_SetString(PyExc_ValueError, "not numbers alone, or not as many times as packets");
    return is_right;
}

static bool message_begin(struct message *message)
{
    size_t fields = (size_t)message->program->count, conversions = (size_t)message->program->conversion_count;
    message->columns = PyMem_Calloc(fields + 1, sizeof *message->columns);
    message->converted = PyMem_Calloc(conversions + 1, sizeof *message->converted);
    message->parts = PyMem_Calloc(fields + conversions + TIMES, sizeof *message->parts);
    if (message->columns && message->converted && message->parts)
        return message_check(message);
    PyErr_NoMemory();
    return false;
}

/* Bytes that nobody has looked at yet. */
static uint8_t *bytes_make(PyObject **made, int64_t size)
{
    *made = size <= PY_SSIZE_T_MAX / 4 ? PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size) : PyErr_NoMemory();
    return *made ? (uint8_t *)PyBytes_AsString(*made) : NULL;
}

/* (message, flags aside, where columns are as int64, counts, least and most bytes of a packet). */
static PyObject *message_write(struct message *message, const char *head, int64_t head_bytes,
                               const struct blanks *blanks)
{
    const struct program *program = message->program;
    const struct batch *batch = &message->packets.batch;
    struct arena arena = {.taken = head_bytes}, side = {0};
    PyObject *made = NULL, *aside = NULL, *places = NULL, *counts = NULL;
    message_divide(message, &arena, &side);
    int64_t bytes = arena.taken;
    if (!blanks_check(blanks, head_bytes, message->part_count) || !(message->block = bytes_make(&made, bytes))
        || !(message->side = bytes_make(&aside, side.taken)))
        goto end;
    struct place *where =
        (struct place *)bytes_make(&places, (program->count + program->conversion_count) * (int64_t)sizeof *where);
    if (!where)
        goto end;
    arena = (struct arena){message->block, head_bytes};
    side = (struct arena){message->side, 0};
    message_divide(message, &arena, &side);
    memcpy(message->block, head, (size_t)head_bytes);
    BEGIN_WORK(batch->count * (program->count + program->conversion_count))
    decode_walk(program, batch, message->columns, message->converted);
    message_finish(message, where);
    END_WORK
    fill_in(message, blanks, head_bytes, bytes);
    counts = counts_of(program, message->converted);
end:
    if (counts)
        return Py_BuildValue("NNNNLL", made, aside, places, counts, (long long)batch->shortest, (long long)batch->longest);
    Py_XDECREF(made);
    Py_XDECREF(aside);
    Py_XDECREF(places);
    return NULL;
}

static void message_end(struct message *message)
{
    Py_buffer *views[] = {&message->received, &message->generated, &message->is_generated};
    for (int each = 0; each < 3; each++)
        if (views[each]->obj)
            PyBuffer_Release(views[each]);
    packets_drop(&message->packets);
    PyMem_Free(message->columns);
    PyMem_Free(message->converted);
    PyMem_Free(message->parts);
}

PyObject *program_write(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    struct message message = {.program = &((struct program_object *)object)->program};
    struct blanks blanks;
    char *head;
    Py_ssize_t head_bytes;
    PyObject *result = NULL;
    if (count != 8) {
        PyErr_SetString(PyExc_TypeError, "write takes buffer, starts, ends, received, generated, is_generated, head, blanks");
        return NULL;
    }
    if (PyBytes_AsStringAndSize(arguments[6], &head, &head_bytes) < 0
        || !tuple_check(arguments[7])
        || !PyArg_ParseTuple(arguments[7], "LLLL", &blanks.size, &blanks.rows, &blanks.nodes, &blanks.buffers)
        || !packets_take(&message.packets, arguments[0], arguments[1], arguments[2]))
        return NULL;
    if (int64_take(&message.received, arguments[3], false) && int64_take(&message.generated, arguments[4], false)
        && (arguments[5] == Py_None || !PyObject_GetBuffer(arguments[5], &message.is_generated, PyBUF_SIMPLE))
        && message_begin(&message))
        result = message_write(&message, head, head_bytes, &blanks);
    message_end(&message);
    return result;
}
