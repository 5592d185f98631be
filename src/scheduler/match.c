/* What a specification asks of a machine itself: its constraints and its platform. */
#include "base/alloc.h"
#include "base/check.h"
#include "scheduler/internal.h"

void match_init(struct scheduler_match *match, const struct job_spec *spec)
{
	const struct strings *texts = &spec->placement.constraints;
	*match = (struct scheduler_match){ .n_constraints = texts->n };
	match->constraints = base_calloc(texts->n ? texts->n : 1, sizeof(struct asked_constraint));
	for (size_t i = 0; i < texts->n; i++) {
		struct asked_constraint *asked = &match->constraints[i];
		asked->text = texts->items[i];
		asked->valid = constraint_parse(asked->text, &asked->constraint, NULL) == ERR_NONE;
	}
	match->has_platform = spec->platform &&
			      platform_parse(spec->platform, &match->platform, NULL) == ERR_NONE;
}

void match_release(struct scheduler_match *match)
{
	base_free(match->constraints);
	*match = (struct scheduler_match){ 0 };
}

const char *node_value(const struct node_entry *node, const struct constraint *constraint,
		       char buffer[UUID_TEXT_SIZE])
{
	const struct node_record *record = &node->record;
	switch (constraint->key) {
	case CONSTRAINT_NODE_ID: return uuid_format(record->id.uuid, buffer);
	case CONSTRAINT_HOSTNAME: return record->facts.hostname;
	case CONSTRAINT_IP: return record->address;
	/* A node has one role, and being the manager's machine is it. */
	case CONSTRAINT_ROLE: return record->role == NODE_BOTH ? "manager" : "worker";
	case CONSTRAINT_OS: return record->facts.platform_os;
	case CONSTRAINT_ARCH: return record->facts.platform_arch;
	case CONSTRAINT_NODE_LABEL: {
		const char *value = pairs_get(&record->labels, constraint->label);
		return value ? value : pairs_get(&record->facts.labels, constraint->label);
	}
	case CONSTRAINT_ENGINE_LABEL:
		return pairs_get(&record->facts.engine_labels, constraint->label);
	}
	UNREACHABLE("constraint key");
}

size_t match_broken(const struct scheduler_match *match, const struct node_entry *node)
{
	for (size_t i = 0; i < match->n_constraints; i++) {
		const struct asked_constraint *asked = &match->constraints[i];
		char buffer[UUID_TEXT_SIZE];
		if (!asked->valid ||
		    !constraint_matches(&asked->constraint,
					node_value(node, &asked->constraint, buffer)))
			return i;
	}
	return match->n_constraints;
}

bool match_is_other_platform(const struct scheduler_match *match, const struct node_entry *node)
{
	if (!match->has_platform)
		return false;
	const struct node_facts *facts = &node->record.facts;
	struct platform there = platform_of_machine(facts->platform_os, facts->platform_arch);
	return !platform_runs(&there, &match->platform);
}

struct scheduler_match *scheduler_match_new(const struct job_spec *spec)
{
	struct scheduler_match *match = base_calloc(1, sizeof(*match));
	match_init(match, spec);
	return match;
}

void scheduler_match_free(struct scheduler_match *match)
{
	match_release(match);
	base_free(match);
}

bool scheduler_matches(const struct scheduler_match *match, const struct node_entry *node)
{
	return match_broken(match, node) == match->n_constraints &&
	       !match_is_other_platform(match, node);
}
