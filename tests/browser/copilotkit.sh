# What `install` builds and `run` starts for copilotkit.test.js.
example=../../examples/copilotkit-starter

start() {
  serve "$example/agents.py:agents"
  page "$example" node server/index.js --port
}
