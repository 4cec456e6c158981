"""The tool's own nouns: instruction, plan, build, difference, verdict, report. Data alone, frozen."""
