"""Model versions, the promotion gate and who is champion."""
