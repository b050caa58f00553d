# What `install` builds and `run` starts for ai-sdk.test.js.
example=../../examples/ai-sdk-starter

start() {
  serve "$example/agents.py:agents"
  page "$example" node_modules/.bin/vite preview --host 127.0.0.1 --strictPort --port
}
