/* The scan itself, once per policy and kind of processor: SCHEDULER_SCAN(SCORE) defines scan() and score_one() of
 * struct score_terms. SCORE is an expression of the terms t[0..3], which are `wide`, and the factors f[0..7], which
 * are float. Where the score is one of several, each has a SCAN_WHERE(name, WHERE, SCORE) of its own, which looks at
 * those machines only for which WHERE is true in every bit, and the policy puts them together.
 *
 * Both give the same bits: float arithmetic without contraction is exact in every width. */
#ifndef SCHEDULER_SCAN_H
#define SCHEDULER_SCAN_H

#include <math.h>

#include "scheduler/lanes.h"

typedef float wide __attribute__((vector_size(sizeof(float) * LANES_WIDE)));
typedef int32_t wide_int __attribute__((vector_size(sizeof(int32_t) * LANES_WIDE)));

#define WIDE_SELECT(mask, a, b) ((wide)(((mask) & (wide_int)(a)) | (~(mask) & (wide_int)(b))))
#define WIDE_MAX(a, b)		WIDE_SELECT((a) > (b), a, b)
#define WIDE_MIN(a, b)		WIDE_SELECT((a) < (b), a, b)
#define WIDE_ABS(a)		((wide)((wide_int)(a)&INT32_MAX))
#define WIDE_ALL(a)		((wide){ 0 } + (a))

#define SCAN_BODY(WHERE, SCORE)                                                                    \
	wide least = WIDE_ALL(INFINITY);                                                           \
	wide_int least_at = { 0 };                                                                 \
	wide_int at = { 0, 1, 2, 3, 4, 5, 6, 7 };                                                  \
	at += (int32_t)span->begin;                                                                \
	for (size_t i = span->begin; i < span->end; i += LANES_WIDE) {                             \
		wide t[TERMS_MAX];                                                                 \
		for (int k = 0; k < TERMS_MAX; k++)                                                \
			t[k] = *(const wide *)(const void *)&lanes->terms[k][i];                   \
		wide_int room = (*(const wide_int *)(const void *)&lanes->cpu_free_milli[i] >=     \
				 needs->cpu_milli) &                                               \
				(*(const wide_int *)(const void *)&lanes->memory_free_kib[i] >=    \
				 needs->memory_kib) &                                              \
				(WHERE);                                                           \
		wide score = (SCORE);                                                              \
		wide_int better = (score < least) & room;                                          \
		least = WIDE_SELECT(better, score, least);                                         \
		least_at = (better & at) | (~better & least_at);                                   \
		at += LANES_WIDE;                                                                  \
	}                                                                                          \
	for (int k = 0; k < LANES_WIDE; k++) {                                                     \
		uint32_t column = lanes->columns[least_at[k]];                                     \
		if (least[k] < best->score ||                                                      \
		    (least[k] == best->score && least[k] < INFINITY && column < best->column))     \
			*best = (struct lane_best){ least[k], column };                            \
	}

#define SCAN_PARAMETERS                                                                            \
	const struct lanes *lanes, const struct lane_span *span, const float f[FACTORS_MAX],       \
		const struct lane_needs *needs, struct lane_best *best

#ifdef __x86_64__
#define SCAN_AVX2(NAME, WHERE, SCORE)                                                              \
	__attribute__((target("avx2"))) static void NAME##_avx2(SCAN_PARAMETERS)                   \
	{                                                                                          \
		SCAN_BODY(WHERE, SCORE)                                                            \
	}
#define SCAN_USE_AVX2(NAME)                                                                        \
	if (__builtin_cpu_supports("avx2")) {                                                      \
		NAME##_avx2(lanes, span, f, needs, best);                                          \
		return;                                                                            \
	}
#else
#define SCAN_AVX2(NAME, WHERE, SCORE)
#define SCAN_USE_AVX2(NAME)
#endif

#define SCAN_WHERE(NAME, WHERE, SCORE)                                                             \
	SCAN_AVX2(NAME, WHERE, SCORE)                                                              \
	static void NAME(SCAN_PARAMETERS)                                                          \
	{                                                                                          \
		SCAN_USE_AVX2(NAME)                                                                \
		SCAN_BODY(WHERE, SCORE)                                                            \
	}

#define SCORE_ONE(SCORE)                                                                           \
	static float score_one(const float terms[TERMS_MAX], const float f[FACTORS_MAX])           \
	{                                                                                          \
		wide t[TERMS_MAX];                                                                 \
		for (int k = 0; k < TERMS_MAX; k++)                                                \
			t[k] = WIDE_ALL(terms[k]);                                                 \
		wide score = (SCORE);                                                              \
		return score[0];                                                                   \
	}

#define EVERYWHERE (~(wide_int){ 0 })
#define SCHEDULER_SCAN(SCORE)                                                                      \
	SCAN_WHERE(scan, EVERYWHERE, SCORE)                                                        \
	SCORE_ONE(SCORE)

#endif
