"""`python -m sample_logs OUT` writes every log of the invented company below OUT."""

from sample_logs.generate import main

if __name__ == "__main__":
    main()
