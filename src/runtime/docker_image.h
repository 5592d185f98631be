/* Image references and the credentials for their registries. */
#ifndef RUNTIME_DOCKER_IMAGE_H
#define RUNTIME_DOCKER_IMAGE_H

#include "base/err.h"
#include "base/limits.h"

/* "localhost:5000/team/app:1.2@sha256:..." taken apart. */
struct docker_image {
	char registry[256];	      /* "localhost:5000"; "docker.io" where none is written */
	char name[LIMIT_IMAGE_BYTES]; /* without tag and digest, as written */
	char tag[LIMIT_IMAGE_BYTES];  /* the digest if there is one, else the tag, else "latest" */
};
enum err_code docker_image_parse(const char *reference, struct docker_image *ret_image,
				 struct err *err) WARN_UNUSED;

/* What the user's configuration says of a registry. */
struct docker_credentials {
	char *header; /* value of X-Registry-Auth; NULL: none, or ask the helper; owned */
	char *helper; /* program to ask: "docker-credential-pass"; NULL: none; owned */
};
void docker_credentials_release(struct docker_credentials *credentials);

/* The name a registry has in the configuration: "https://index.docker.io/v1/" for Docker Hub. */
const char *docker_registry_key(const char *registry);

/* Look `registry` up in the text of a config.json. A registry nobody wrote anything about is no error. */
enum err_code docker_credentials_find(const char *config, size_t len, const char *registry,
				      struct docker_credentials *ret_credentials,
				      struct err *err) WARN_UNUSED;

/* The header's value from what a credential helper printed. */
enum err_code docker_credentials_answer(const char *output, size_t len, const char *registry,
					char **ret_header, struct err *err) WARN_UNUSED;

#endif
