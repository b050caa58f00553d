-- name: probe
pragma user_version
