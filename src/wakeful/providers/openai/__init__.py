"""Room card: providers.openai.

What is here: the OpenAI chat completions wire, which vLLM, Ollama, OpenRouter, Groq, DeepSeek and others serve too.
Start reading: `provider.py`.
May import: contracts and the shared wire modules of `providers`.
Invariant: what the vendor leaves out (ids, usage, indexes, the end marker) is tolerated; what it breaks is raised.
"""
