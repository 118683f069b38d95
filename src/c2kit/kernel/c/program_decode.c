/* Program.decode: packets to Columns, in memory that Python makes. */
#include "program_object.h"

#include "arena.h"
#include "decode.h"

/* -- Memory -------------------------------------------------------------------------------------------------------- */

/* A column's place in the outcome: where in the block its parts begin, -1 for those that there are not. */
struct place {
    int64_t values, status, offsets;
};

/* Whether a field's sequences are as many elements as is known from the number of packets. */
static bool is_countable(const struct field *field, const struct batch *batch)
{
    return is_number(field) || all_hold(field, batch);
}

/* Divides memory among the columns of conversions, whose places stand behind those of fields. */
static void divide_converted(const struct program *program, int64_t count, struct converted *converted,
                             struct place *places, struct arena *arena)
{
    for (int32_t number = 0; number < program->conversion_count; number++) {
        const struct conversion *conversion = &program->conversions[number];
        int64_t width = converted_width(conversion);
        converted[number] = (struct converted){0};
        places[number] = (struct place){-1, -1, -1};
        if (width) {
            places[number].values = arena->taken;
            converted[number].values = take(arena, count * width);
        }
        if (may_lose(conversion)) {
            places[number].status = arena->taken;
            converted[number].valid = take(arena, count);
        }
    }
}

/* Divides memory among columns; done twice, first to learn how much. False where no memory is large enough. */
static bool divide(const struct program *program, const struct batch *batch, struct column *columns,
                   struct converted *converted, struct place *places, struct arena *arena, struct arena *scratch)
{
    if (batch->count > MOST_ELEMENTS)
        return false;
    divide_converted(program, batch->count, converted, places + program->count, arena);
    for (int32_t number = 0; number < program->count; number++) {
        const struct field *field = &program->fields[number];
        struct column *column = &columns[number];
        struct place *place = &places[number];
        *column = (struct column){0};
        *place = (struct place){-1, -1, -1};
        if (is_countable(field, batch)) {
            if (field->count && batch->count > MOST_ELEMENTS / field->count)
                return false;
            place->values = arena->taken;
            column->values = take(arena, batch->count * field->count * field->element.width);
        }
        if (!all_hold(field, batch)) {
            place->status = arena->taken;
            column->status = take(arena, batch->count);
            if (!is_number(field))
                column->firsts = take(scratch, 8 * batch->count);
        }
        if (has_offsets(field)) {
            place->offsets = arena->taken;
            column->offsets = take(arena, 8 * (batch->count + 1));
        }
        if (arena->taken > PY_SSIZE_T_MAX / 4 || scratch->taken > PY_SSIZE_T_MAX / 4)
            return false;
    }
    return true;
}

/* Takes hold of the words that `make` makes; or of `made`, which somebody made before. */
static bool words_take(Py_buffer *view, PyObject *make, PyObject **made, int64_t bytes)
{
    if (make && !(*made = PyObject_CallFunction(make, "L", (long long)((bytes + 7) / 8))))
        return false;
    if (!int64_take(view, *made, true))
        return false;
    if (view->len >= bytes)
        return true;
    PyBuffer_Release(view);
    PyErr_SetString(PyExc_ValueError, "too small for the columns");
    return false;
}

/* -- Decoding ------------------------------------------------------------------------------------------------------ */

/* What a call to decode works with. */
struct decoding {
    const struct program *program;
    struct packets packets;
    struct column *columns;
    struct converted *converted;
    struct place *places;
    PyObject **loose; /* of each field the words of its own, if it has some */
    Py_buffer *loose_views;
    Py_buffer block;
    PyObject *made;
    uint8_t *scratch;
};

static void decoding_end(struct decoding *decoding)
{
    if (decoding->loose)
        for (int32_t number = 0; number < decoding->program->count; number++) {
            if (decoding->loose_views[number].obj)
                PyBuffer_Release(&decoding->loose_views[number]);
            Py_XDECREF(decoding->loose[number]);
        }
    if (decoding->block.obj)
        PyBuffer_Release(&decoding->block);
    Py_XDECREF(decoding->made);
    PyMem_Free(decoding->columns);
    PyMem_Free(decoding->converted);
    PyMem_Free(decoding->places);
    PyMem_Free(decoding->loose);
    PyMem_Free(decoding->loose_views);
    PyMem_Free(decoding->scratch);
    packets_drop(&decoding->packets);
}

static bool decoding_divide(struct decoding *decoding, struct arena *arena, struct arena *scratch)
{
    return divide(decoding->program, &decoding->packets.batch, decoding->columns, decoding->converted,
                  decoding->places, arena, scratch);
}

static bool decoding_begin(struct decoding *decoding, PyObject *make)
{
    const struct program *program = decoding->program;
    size_t count = (size_t)program->count + 1, conversions = (size_t)program->conversion_count;
    decoding->columns = PyMem_Calloc(count, sizeof *decoding->columns);
    decoding->converted = PyMem_Calloc(conversions + 1, sizeof *decoding->converted);
    decoding->places = PyMem_Calloc(count + conversions, sizeof *decoding->places);
    decoding->loose = PyMem_Calloc(count, sizeof *decoding->loose);
    decoding->loose_views = PyMem_Calloc(count, sizeof *decoding->loose_views);
    struct arena arena = {0}, scratch = {0};
    bool has_memory = decoding->columns && decoding->converted && decoding->places && decoding->loose
        && decoding->loose_views && decoding_divide(decoding, &arena, &scratch);
    if (has_memory && scratch.taken)
        has_memory = (decoding->scratch = PyMem_Malloc((size_t)scratch.taken)) != NULL;
    if (!has_memory) {
        PyErr_NoMemory();
        return false;
    }
    if (!words_take(&decoding->block, make, &decoding->made, arena.taken))
        return false;
    arena = (struct arena){.block = decoding->block.buf};
    scratch = (struct arena){.block = decoding->scratch};
    return decoding_divide(decoding, &arena, &scratch);
}

/* Memory for what was counted while walking. */
static bool decoding_make_loose(struct decoding *decoding, PyObject *empty, PyObject *zeros)
{
    const struct batch *batch = &decoding->packets.batch;
    for (int32_t number = 0; number < decoding->program->count; number++) {
        const struct field *field = &decoding->program->fields[number];
        struct column *column = &decoding->columns[number];
        /* No memory for what is not there: a shape may be far larger than any packet that came. */
        if (column->values || (!has_offsets(field) && column->missing == batch->count))
            continue;
        int64_t elements = decode_elements(field, batch, column);
        if (elements < 0) {
            PyErr_NoMemory();
            return false;
        }
        PyObject *make = !has_offsets(field) && column->missing ? zeros : empty;
        int64_t bytes = elements * field->element.width;
        if (!words_take(&decoding->loose_views[number], make, &decoding->loose[number], bytes))
            return false;
        column->values = decoding->loose_views[number].buf;
    }
    return true;
}

/* About how many nanoseconds it will take. */
static int64_t steps_of(const struct decoding *decoding)
{
    const struct batch *batch = &decoding->packets.batch;
    int64_t steps = decoding->program->count + decoding->program->conversion_count + batch->longest / 16;
    return batch->count > WORTH_RELEASING ? batch->count : batch->count * (steps < WORTH_RELEASING ? steps : WORTH_RELEASING);
}

static void decoding_read_sequences(struct decoding *decoding)
{
    for (int32_t number = 0; number < decoding->program->count; number++) {
        const struct field *field = &decoding->program->fields[number];
        if (!is_number(field) && decoding->columns[number].values)
            decode_sequences(field, &decoding->packets.batch, &decoding->columns[number]);
    }
}

/* A Column of single numbers that every packet has, as its initialiser would make it, in a fifth of the time: there are
 * as many of these as there are items, whatever the number of packets. */
static PyObject *plain_column(const struct program_object *self, int32_t number, PyObject *count, PyObject *block,
                              int64_t first_byte)
{
    PyObject *place = PyLong_FromLongLong(first_byte);
    PyObject *type = PyTuple_GetItem(self->number_types, number);
    PyObject *values = place ? PyObject_CallFunctionObjArgs(self->array_type, count, type, block, place, NULL) : NULL;
    PyObject *column = values ? PyType_GenericAlloc((PyTypeObject *)self->column_type, 0) : NULL;
    PyObject *attributes[ATTRIBUTES] = {values, Py_None, Py_None, Py_False, Py_False};
    for (int each = 0; column && each < ATTRIBUTES; each++)
        if (PyObject_GenericSetAttr(column, self->names[each], attributes[each]) < 0)
            Py_CLEAR(column);
    Py_XDECREF(values);
    Py_XDECREF(place);
    return column;
}

/* A column in other words: (values' words, first byte of values, elements, first byte of validity and of offsets in the
 * block); -1 stands for what there is not. */
static PyObject *column_place(const struct decoding *decoding, int32_t number)
{
    const struct column *column = &decoding->columns[number];
    const struct place *place = &decoding->places[number];
    PyObject *words = decoding->loose[number] ? decoding->loose[number] : decoding->made;
    long long values = place->values >= 0 ? place->values : 0, elements = -1;
    if (column->values)
        elements = decode_elements(&decoding->program->fields[number], &decoding->packets.batch, column);
    return Py_BuildValue("OLLLL", words, values, elements, (long long)(column->missing ? place->status : -1),
                         (long long)place->offsets);
}

static PyObject *field_outcome(const struct program_object *self, const struct decoding *decoding, int32_t number,
                               PyObject *count)
{
    if (!is_number(&decoding->program->fields[number]) || decoding->columns[number].missing)
        return column_place(decoding, number);
    return plain_column(self, number, count, decoding->made, decoding->places[number].values);
}

/* None for states, which have no column. */
static PyObject *conversion_outcome(const struct program_object *self, const struct decoding *decoding, int32_t number,
                                    PyObject *count)
{
    const struct program *program = decoding->program;
    const struct conversion *conversion = &program->conversions[number];
    const struct place *place = &decoding->places[program->count + number];
    int64_t valid = decoding->columns[conversion->field].missing ? decoding->places[conversion->field].status : -1;
    if (may_lose(conversion) && decoding->converted[number].counted)
        valid = place->status;
    if (place->values < 0)
        return Py_NewRef(Py_None);
    if (valid < 0)
        return plain_column(self, program->count + number, count, decoding->made, place->values);
    return Py_BuildValue("OLLLL", decoding->made, (long long)place->values,
                         (long long)decoding->packets.batch.count, (long long)valid, -1LL);
}

/* The block, for each field and then each conversion its Column or where its parts are, and what conversions counted. */
static PyObject *outcome(const struct program_object *self, const struct decoding *decoding)
{
    const int32_t fields = decoding->program->count, conversions = decoding->program->conversion_count;
    PyObject *count = PyLong_FromLongLong(decoding->packets.batch.count);
    PyObject *list = count ? PyList_New((Py_ssize_t)fields + conversions) : NULL;
    for (int32_t number = 0; list && number < fields + conversions; number++) {
        PyObject *entry = number < fields ? field_outcome(self, decoding, number, count)
                                          : conversion_outcome(self, decoding, number - fields, count);
        if (!entry || PyList_SetItem(list, number, entry) < 0)
            Py_CLEAR(list);
    }
    Py_XDECREF(count);
    PyObject *counts = list ? counts_of(decoding->program, decoding->converted) : NULL;
    if (counts)
        return Py_BuildValue("ONN", decoding->made, list, counts);
    Py_XDECREF(list);
    return NULL;
}

PyObject *program_decode(PyObject *object, PyObject *const *arguments, Py_ssize_t count)
{
    const struct program_object *self = (const struct program_object *)object;
    struct decoding decoding = {.program = &self->program};
    PyObject *result = NULL;
    if (count != 5) {
        PyErr_SetString(PyExc_TypeError, "decode takes buffer, starts, ends, empty, zeros");
        return NULL;
    }
    if (!packets_take(&decoding.packets, arguments[0], arguments[1], arguments[2]))
        return NULL;
    if (decoding_begin(&decoding, arguments[3])) {
        BEGIN_WORK(steps_of(&decoding))
        decode_walk(decoding.program, &decoding.packets.batch, decoding.columns, decoding.converted);
        END_WORK
        if (decoding_make_loose(&decoding, arguments[3], arguments[4])) {
            BEGIN_WORK(steps_of(&decoding))
            decoding_read_sequences(&decoding);
            END_WORK
            result = outcome(self, &decoding);
        }
    }
    decoding_end(&decoding);
    return result;
}

