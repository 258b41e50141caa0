"""The sources that phenomena cite, each once: key, title, venue, address, BibTeX."""

from __future__ import annotations

from genlab_tui.phenomenon import Paper

ZHANG = Paper(
    "Zhang et al. 2017",
    "Understanding deep learning requires rethinking generalization",
    "ICLR 2017",
    "https://arxiv.org/abs/1611.03530",
    """@inproceedings{zhang2017understanding,
  author = {Zhang, Chiyuan and Bengio, Samy and Hardt, Moritz and Recht, Benjamin and Vinyals, Oriol},
  title = {Understanding deep learning requires rethinking generalization},
  booktitle = {International Conference on Learning Representations}, year = {2017}, eprint = {1611.03530}
}""",
)
ARPIT = Paper(
    "Arpit et al. 2017",
    "A Closer Look at Memorization in Deep Networks",
    "ICML 2017, PMLR 70, 233-242",
    "https://arxiv.org/abs/1706.05394",
    """@inproceedings{arpit2017closer,
  author = {Arpit, Devansh and Jastrz{\\k{e}}bski, Stanis{\\l}aw and Ballas, Nicolas and Krueger, David and
    Bengio, Emmanuel and Kanwal, Maxinder S. and Maharaj, Tegan and Fischer, Asja and Courville, Aaron and
    Bengio, Yoshua and Lacoste-Julien, Simon},
  title = {A Closer Look at Memorization in Deep Networks},
  booktitle = {International Conference on Machine Learning}, pages = {233--242}, year = {2017}
}""",
)
BELKIN = Paper(
    "Belkin et al. 2019",
    "Reconciling modern machine-learning practice and the classical bias-variance trade-off",
    "PNAS 116(32), 15849-15854",
    "https://arxiv.org/abs/1812.11118",
    """@article{belkin2019reconciling,
  author = {Belkin, Mikhail and Hsu, Daniel and Ma, Siyuan and Mandal, Soumik},
  title = {Reconciling modern machine-learning practice and the classical bias--variance trade-off},
  journal = {Proceedings of the National Academy of Sciences},
  volume = {116}, number = {32}, pages = {15849--15854}, year = {2019}, doi = {10.1073/pnas.1903070116}
}""",
)
NAKKIRAN_RIDGE = Paper(
    "Nakkiran et al. 2021",
    "Optimal Regularization Can Mitigate Double Descent",
    "ICLR 2021",
    "https://arxiv.org/abs/2003.01897",
    """@inproceedings{nakkiran2021optimal,
  author = {Nakkiran, Preetum and Venkat, Prayaag and Kakade, Sham and Ma, Tengyu},
  title = {Optimal Regularization Can Mitigate Double Descent},
  booktitle = {International Conference on Learning Representations}, year = {2021}, eprint = {2003.01897}
}""",
)
