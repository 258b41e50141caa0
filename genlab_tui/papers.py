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
NEYSHABUR_SEARCH = Paper(
    "Neyshabur et al. 2015",
    "In Search of the Real Inductive Bias: On the Role of Implicit Regularization in Deep Learning",
    "ICLR 2015, workshop track",
    "https://arxiv.org/abs/1412.6614",
    """@inproceedings{neyshabur2015search,
  author = {Neyshabur, Behnam and Tomioka, Ryota and Srebro, Nathan},
  title = {In Search of the Real Inductive Bias: On the Role of Implicit Regularization in Deep Learning},
  booktitle = {International Conference on Learning Representations, Workshop Track}, year = {2015},
  eprint = {1412.6614}
}""",
)
NEYSHABUR_EXPLORING = Paper(
    "Neyshabur et al. 2017",
    "Exploring Generalization in Deep Learning",
    "NeurIPS 2017",
    "https://arxiv.org/abs/1706.08947",
    """@inproceedings{neyshabur2017exploring,
  author = {Neyshabur, Behnam and Bhojanapalli, Srinadh and McAllester, David and Srebro, Nathan},
  title = {Exploring Generalization in Deep Learning},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2017}, eprint = {1706.08947}
}""",
)
NEYSHABUR_OVER = Paper(
    "Neyshabur et al. 2019",
    "The Role of Over-Parametrization in Generalization of Neural Networks",
    "ICLR 2019",
    "https://arxiv.org/abs/1805.12076",
    """@inproceedings{neyshabur2019role,
  author = {Neyshabur, Behnam and Li, Zhiyuan and Bhojanapalli, Srinadh and LeCun, Yann and Srebro, Nathan},
  title = {The Role of Over-Parametrization in Generalization of Neural Networks},
  booktitle = {International Conference on Learning Representations}, year = {2019}, eprint = {1805.12076}
}""",
)
GAO_DEGREES = Paper(
    "Gao & Jojic 2016",
    "Degrees of Freedom in Deep Neural Networks",
    "UAI 2016",
    "https://arxiv.org/abs/1603.09260",
    """@inproceedings{gao2016degrees,
  author = {Gao, Tianxiang and Jojic, Vladimir},
  title = {Degrees of Freedom in Deep Neural Networks},
  booktitle = {Uncertainty in Artificial Intelligence}, year = {2016}, eprint = {1603.09260}
}""",
)
ZHANG_LAYERS = Paper(
    "Zhang, Bengio & Singer 2022",
    "Are All Layers Created Equal?",
    "JMLR 23(67), 1-28",
    "https://arxiv.org/abs/1902.01996",
    """@article{zhang2022layers,
  author = {Zhang, Chiyuan and Bengio, Samy and Singer, Yoram},
  title = {Are All Layers Created Equal?},
  journal = {Journal of Machine Learning Research}, volume = {23}, number = {67}, pages = {1--28}, year = {2022},
  eprint = {1902.01996}
}""",
)
FRANKLE_CARBIN = Paper(
    "Frankle & Carbin 2019",
    "The Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural Networks",
    "ICLR 2019",
    "https://arxiv.org/abs/1803.03635",
    """@inproceedings{frankle2019lottery,
  author = {Frankle, Jonathan and Carbin, Michael},
  title = {The Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural Networks},
  booktitle = {International Conference on Learning Representations}, year = {2019}, eprint = {1803.03635}
}""",
)
FRANKLE_REWINDING = Paper(
    "Frankle et al. 2020",
    "Linear Mode Connectivity and the Lottery Ticket Hypothesis",
    "ICML 2020, PMLR 119, 3259-3269",
    "https://arxiv.org/abs/1912.05671",
    """@inproceedings{frankle2020linear,
  author = {Frankle, Jonathan and Dziugaite, Gintare Karolina and Roy, Daniel M. and Carbin, Michael},
  title = {Linear Mode Connectivity and the Lottery Ticket Hypothesis},
  booktitle = {International Conference on Machine Learning}, pages = {3259--3269}, year = {2020}
}""",
)
SRIVASTAVA = Paper(
    "Srivastava et al. 2014",
    "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
    "JMLR 15(56), 1929-1958",
    "https://jmlr.org/papers/v15/srivastava14a.html",
    """@article{srivastava2014dropout,
  author = {Srivastava, Nitish and Hinton, Geoffrey and Krizhevsky, Alex and Sutskever, Ilya and
    Salakhutdinov, Ruslan},
  title = {Dropout: A Simple Way to Prevent Neural Networks from Overfitting},
  journal = {Journal of Machine Learning Research}, volume = {15}, number = {56}, pages = {1929--1958}, year = {2014}
}""",
)
SZEGEDY = Paper(
    "Szegedy et al. 2016",
    "Rethinking the Inception Architecture for Computer Vision",
    "CVPR 2016",
    "https://arxiv.org/abs/1512.00567",
    """@inproceedings{szegedy2016rethinking,
  author = {Szegedy, Christian and Vanhoucke, Vincent and Ioffe, Sergey and Shlens, Jon and Wojna, Zbigniew},
  title = {Rethinking the Inception Architecture for Computer Vision},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition}, year = {2016}, eprint = {1512.00567}
}""",
)
MIXUP = Paper(
    "Zhang et al. 2018",
    "mixup: Beyond Empirical Risk Minimization",
    "ICLR 2018",
    "https://arxiv.org/abs/1710.09412",
    """@inproceedings{zhang2018mixup,
  author = {Zhang, Hongyi and Cisse, Moustapha and Dauphin, Yann N. and Lopez-Paz, David},
  title = {mixup: Beyond Empirical Risk Minimization},
  booktitle = {International Conference on Learning Representations}, year = {2018}, eprint = {1710.09412}
}""",
)
KESKAR = Paper(
    "Keskar et al. 2017",
    "On Large-Batch Training for Deep Learning: Generalization Gap and Sharp Minima",
    "ICLR 2017",
    "https://arxiv.org/abs/1609.04836",
    """@inproceedings{keskar2017large,
  author = {Keskar, Nitish Shirish and Mudigere, Dheevatsa and Nocedal, Jorge and Smelyanskiy, Mikhail and
    Tang, Ping Tak Peter},
  title = {On Large-Batch Training for Deep Learning: Generalization Gap and Sharp Minima},
  booktitle = {International Conference on Learning Representations}, year = {2017}, eprint = {1609.04836}
}""",
)
SMITH_LE = Paper(
    "Smith & Le 2018",
    "A Bayesian Perspective on Generalization and Stochastic Gradient Descent",
    "ICLR 2018",
    "https://arxiv.org/abs/1710.06451",
    """@inproceedings{smith2018bayesian,
  author = {Smith, Samuel L. and Le, Quoc V.},
  title = {A Bayesian Perspective on Generalization and Stochastic Gradient Descent},
  booktitle = {International Conference on Learning Representations}, year = {2018}, eprint = {1710.06451}
}""",
)
GREYDANUS = Paper(
    "Greydanus 2020",
    "Scaling down Deep Learning",
    "arXiv preprint",
    "https://arxiv.org/abs/2011.14439",
    """@article{greydanus2020scaling,
  author = {Greydanus, Sam},
  title = {Scaling down Deep Learning}, journal = {arXiv preprint arXiv:2011.14439}, year = {2020}
}""",
)
NAKKIRAN = Paper(
    "Nakkiran et al. 2020",
    "Deep Double Descent: Where Bigger Models and More Data Hurt",
    "ICLR 2020",
    "https://arxiv.org/abs/1912.02292",
    """@inproceedings{nakkiran2020deep,
  author = {Nakkiran, Preetum and Kaplun, Gal and Bansal, Yamini and Yang, Tristan and Barak, Boaz and
    Sutskever, Ilya},
  title = {Deep Double Descent: Where Bigger Models and More Data Hurt},
  booktitle = {International Conference on Learning Representations}, year = {2020}, eprint = {1912.02292}
}""",
)
GEIGER = Paper(
    "Geiger et al. 2020",
    "Scaling description of generalization with number of parameters in deep learning",
    "Journal of Statistical Mechanics 2020, 023401",
    "https://arxiv.org/abs/1901.01608",
    """@article{geiger2020scaling,
  author = {Geiger, Mario and Jacot, Arthur and Spigler, Stefano and Gabriel, Franck and Sagun, Levent and
    d'Ascoli, St{\\'e}phane and Biroli, Giulio and Hongler, Cl{\\'e}ment and Wyart, Matthieu},
  title = {Scaling description of generalization with number of parameters in deep learning},
  journal = {Journal of Statistical Mechanics: Theory and Experiment}, pages = {023401}, year = {2020},
  eprint = {1901.01608}
}""",
)
WENG = Paper(
    "Weng 2019",
    "Are Deep Neural Networks Dramatically Overfitted?",
    "Lil'Log",
    "https://lilianweng.github.io/posts/2019-03-14-overfit/",
    """@misc{weng2019overfitted,
  author = {Weng, Lilian}, title = {Are Deep Neural Networks Dramatically Overfitted?},
  howpublished = {Lil'Log}, year = {2019}
}""",
)
KRUEGER = Paper(
    "Krueger et al. 2017",
    "Deep Nets Don't Learn via Memorization",
    "ICLR 2017, workshop track",
    "https://openreview.net/forum?id=rJv6ZgHYg",
    """@inproceedings{krueger2017deep,
  author = {Krueger, David and Ballas, Nicolas and Jastrz{\\k{e}}bski, Stanis{\\l}aw and Arpit, Devansh and
    Kanwal, Maxinder S. and Maharaj, Tegan and Bengio, Emmanuel and Fischer, Asja and Courville, Aaron},
  title = {Deep Nets Don't Learn via Memorization},
  booktitle = {International Conference on Learning Representations, workshop track}, year = {2017}
}""",
)
IOFFE = Paper(
    "Ioffe & Szegedy 2015",
    "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift",
    "ICML 2015",
    "https://arxiv.org/abs/1502.03167",
    """@inproceedings{ioffe2015batch,
  author = {Ioffe, Sergey and Szegedy, Christian},
  title = {Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift},
  booktitle = {International Conference on Machine Learning}, year = {2015}, eprint = {1502.03167}
}""",
)
LI_SHIFT = Paper(
    "Li et al. 2019",
    "Understanding the Disharmony between Dropout and Batch Normalization by Variance Shift",
    "CVPR 2019",
    "https://arxiv.org/abs/1801.05134",
    """@inproceedings{li2019understanding,
  author = {Li, Xiang and Chen, Shuo and Hu, Xiaolin and Yang, Jian},
  title = {Understanding the Disharmony between Dropout and Batch Normalization by Variance Shift},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition}, year = {2019}, eprint = {1801.05134}
}""",
)
LIANG_RAKHLIN = Paper(
    "Liang & Rakhlin 2020",
    'Just Interpolate: Kernel "Ridgeless" Regression Can Generalize',
    "Annals of Statistics 48(3), 1329-1347",
    "https://arxiv.org/abs/1808.00387",
    """@article{liang2020just,
  author = {Liang, Tengyuan and Rakhlin, Alexander},
  title = {Just Interpolate: Kernel ``Ridgeless'' Regression Can Generalize},
  journal = {The Annals of Statistics}, volume = {48}, number = {3}, pages = {1329--1347}, year = {2020},
  eprint = {1808.00387}
}""",
)
SANTURKAR = Paper(
    "Santurkar et al. 2018",
    "How Does Batch Normalization Help Optimization?",
    "NeurIPS 2018",
    "https://arxiv.org/abs/1805.11604",
    """@inproceedings{santurkar2018batch,
  author = {Santurkar, Shibani and Tsipras, Dimitris and Ilyas, Andrew and M{\\k{a}}dry, Aleksander},
  title = {How Does Batch Normalization Help Optimization?},
  booktitle = {Advances in Neural Information Processing Systems}, volume = {31}, year = {2018}, eprint = {1805.11604}
}""",
)
FRANKLE_BATCH_NORM = Paper(
    "Frankle, Schwab & Morcos 2021",
    "Training BatchNorm and Only BatchNorm: On the Expressive Power of Random Features in CNNs",
    "ICLR 2021",
    "https://arxiv.org/abs/2003.00152",
    """@inproceedings{frankle2021training,
  author = {Frankle, Jonathan and Schwab, David J. and Morcos, Ari S.},
  title = {Training BatchNorm and Only BatchNorm: On the Expressive Power of Random Features in {CNNs}},
  booktitle = {International Conference on Learning Representations}, year = {2021}, eprint = {2003.00152}
}""",
)
CYBENKO = Paper(
    "Cybenko 1989",
    "Approximation by superpositions of a sigmoidal function",
    "Mathematics of Control, Signals, and Systems 2(4), 303-314",
    "https://doi.org/10.1007/BF02551274",
    """@article{cybenko1989approximation,
  author = {Cybenko, George}, title = {Approximation by superpositions of a sigmoidal function},
  journal = {Mathematics of Control, Signals, and Systems}, volume = {2}, number = {4}, pages = {303--314},
  year = {1989}, doi = {10.1007/BF02551274}
}""",
)
HORNIK = Paper(
    "Hornik 1991",
    "Approximation capabilities of multilayer feedforward networks",
    "Neural Networks 4(2), 251-257",
    "https://doi.org/10.1016/0893-6080(91)90009-T",
    """@article{hornik1991approximation,
  author = {Hornik, Kurt}, title = {Approximation capabilities of multilayer feedforward networks},
  journal = {Neural Networks}, volume = {4}, number = {2}, pages = {251--257}, year = {1991},
  doi = {10.1016/0893-6080(91)90009-T}
}""",
)
TELGARSKY = Paper(
    "Telgarsky 2016",
    "Benefits of depth in neural networks",
    "COLT 2016, PMLR 49, 1517-1539",
    "https://arxiv.org/abs/1602.04485",
    """@inproceedings{telgarsky2016benefits,
  author = {Telgarsky, Matus}, title = {Benefits of depth in neural networks},
  booktitle = {Conference on Learning Theory}, series = {PMLR}, volume = {49}, pages = {1517--1539}, year = {2016}
}""",
)
SOUDRY = Paper(
    "Soudry et al. 2018",
    "The Implicit Bias of Gradient Descent on Separable Data",
    "Journal of Machine Learning Research 19(70)",
    "https://arxiv.org/abs/1710.10345",
    """@article{soudry2018implicit,
  author = {Soudry, Daniel and Hoffer, Elad and Nacson, Mor Shpigel and Gunasekar, Suriya and Srebro, Nathan},
  title = {The Implicit Bias of Gradient Descent on Separable Data},
  journal = {Journal of Machine Learning Research}, volume = {19}, number = {70}, pages = {1--57}, year = {2018},
  eprint = {1710.10345}
}""",
)
GUNASEKAR = Paper(
    "Gunasekar et al. 2018",
    "Characterizing Implicit Bias in Terms of Optimization Geometry",
    "ICML 2018",
    "https://arxiv.org/abs/1802.08246",
    """@inproceedings{gunasekar2018characterizing,
  author = {Gunasekar, Suriya and Lee, Jason and Soudry, Daniel and Srebro, Nathan},
  title = {Characterizing Implicit Bias in Terms of Optimization Geometry},
  booktitle = {International Conference on Machine Learning}, year = {2018}, eprint = {1802.08246}
}""",
)
NACSON = Paper(
    "Nacson et al. 2019",
    "Convergence of Gradient Descent on Separable Data",
    "AISTATS 2019",
    "https://arxiv.org/abs/1803.01905",
    """@inproceedings{nacson2019convergence,
  author = {Nacson, Mor Shpigel and Lee, Jason D. and Gunasekar, Suriya and Savarese, Pedro H. P. and
    Srebro, Nathan and Soudry, Daniel},
  title = {Convergence of Gradient Descent on Separable Data},
  booktitle = {International Conference on Artificial Intelligence and Statistics}, year = {2019},
  eprint = {1803.01905}
}""",
)
ZHANG_ADAM = Paper(
    "Zhang, Zou & Cao 2024",
    "The Implicit Bias of Adam on Separable Data",
    "NeurIPS 2024",
    "https://arxiv.org/abs/2406.10650",
    """@inproceedings{zhang2024adam,
  author = {Zhang, Chenyang and Zou, Difan and Cao, Yuan},
  title = {The Implicit Bias of Adam on Separable Data},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2024}, eprint = {2406.10650}
}""",
)
LI_INTRINSIC = Paper(
    "Li et al. 2018 (intrinsic dimension)",
    "Measuring the Intrinsic Dimension of Objective Landscapes",
    "ICLR 2018",
    "https://arxiv.org/abs/1804.08838",
    """@inproceedings{li2018measuring,
  author = {Li, Chunyuan and Farkhoor, Heerad and Liu, Rosanne and Yosinski, Jason},
  title = {Measuring the Intrinsic Dimension of Objective Landscapes},
  booktitle = {International Conference on Learning Representations}, year = {2018}, eprint = {1804.08838}
}""",
)
LESHNO = Paper(
    "Leshno et al. 1993",
    "Multilayer feedforward networks with a nonpolynomial activation function can approximate any function",
    "Neural Networks 6(6), 861-867",
    "https://doi.org/10.1016/S0893-6080(05)80131-5",
    """@article{leshno1993multilayer,
  author = {Leshno, Moshe and Lin, Vladimir Ya. and Pinkus, Allan and Schocken, Shimon},
  title = {Multilayer feedforward networks with a nonpolynomial activation function can approximate any function},
  journal = {Neural Networks}, volume = {6}, number = {6}, pages = {861--867}, year = {1993},
  doi = {10.1016/S0893-6080(05)80131-5}
}""",
)
PAPYAN = Paper(
    "Papyan, Han & Donoho 2020",
    "Prevalence of neural collapse during the terminal phase of deep learning training",
    "PNAS 117(40), 24652-24663",
    "https://www.pnas.org/content/117/40/24652",
    """@article{papyan2020prevalence,
  author = {Papyan, Vardan and Han, X. Y. and Donoho, David L.},
  title = {Prevalence of neural collapse during the terminal phase of deep learning training},
  journal = {Proceedings of the National Academy of Sciences}, volume = {117}, number = {40},
  pages = {24652--24663}, year = {2020}
}""",
)
BLIER = Paper(
    "Blier & Ollivier 2018",
    "The Description Length of Deep Learning models",
    "NeurIPS 2018",
    "https://arxiv.org/abs/1802.07044",
    """@inproceedings{blier2018description,
  author = {Blier, L{\\'e}onard and Ollivier, Yann}, title = {The Description Length of Deep Learning models},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2018}, eprint = {1802.07044}
}""",
)
AINSWORTH = Paper(
    "Ainsworth et al. 2023",
    "Git Re-Basin: Merging Models modulo Permutation Symmetries",
    "ICLR 2023",
    "https://arxiv.org/abs/2209.04836",
    """@inproceedings{ainsworth2023git,
  author = {Ainsworth, Samuel K. and Hayase, Jonathan and Srinivasa, Siddhartha},
  title = {Git Re-Basin: Merging Models modulo Permutation Symmetries},
  booktitle = {International Conference on Learning Representations}, year = {2023}, eprint = {2209.04836}
}""",
)
DINH = Paper(
    "Dinh et al. 2017",
    "Sharp Minima Can Generalize For Deep Nets",
    "ICML 2017",
    "https://arxiv.org/abs/1703.04933",
    """@inproceedings{dinh2017sharp,
  author = {Dinh, Laurent and Pascanu, Razvan and Bengio, Samy and Bengio, Yoshua},
  title = {Sharp Minima Can Generalize For Deep Nets},
  booktitle = {International Conference on Machine Learning}, year = {2017}, eprint = {1703.04933}
}""",
)
GOYAL = Paper(
    "Goyal et al. 2017",
    "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour",
    "arXiv 2017",
    "https://arxiv.org/abs/1706.02677",
    """@article{goyal2017accurate,
  author = {Goyal, Priya and Doll{\\'a}r, Piotr and Girshick, Ross and Noordhuis, Pieter and Wesolowski, Lukasz and
    Kyrola, Aapo and Tulloch, Andrew and Jia, Yangqing and He, Kaiming},
  title = {Accurate, Large Minibatch {SGD}: Training {ImageNet} in 1 Hour},
  journal = {arXiv preprint arXiv:1706.02677}, year = {2017}
}""",
)
FORET = Paper(
    "Foret et al. 2021",
    "Sharpness-Aware Minimization for Efficiently Improving Generalization",
    "ICLR 2021",
    "https://arxiv.org/abs/2010.01412",
    """@inproceedings{foret2021sharpness,
  author = {Foret, Pierre and Kleiner, Ariel and Mobahi, Hossein and Neyshabur, Behnam},
  title = {Sharpness-Aware Minimization for Efficiently Improving Generalization},
  booktitle = {International Conference on Learning Representations}, year = {2021}, eprint = {2010.01412}
}""",
)
KWON = Paper(
    "Kwon et al. 2021",
    "ASAM: Adaptive Sharpness-Aware Minimization for Scale-Invariant Learning of Deep Neural Networks",
    "ICML 2021",
    "https://arxiv.org/abs/2102.11600",
    """@inproceedings{kwon2021asam,
  author = {Kwon, Jungmin and Kim, Jeongseop and Park, Hyunseo and Choi, In Kwon},
  title = {{ASAM}: Adaptive Sharpness-Aware Minimization for Scale-Invariant Learning of Deep Neural Networks},
  booktitle = {International Conference on Machine Learning}, year = {2021}, eprint = {2102.11600}
}""",
)
LI_LANDSCAPE = Paper(
    "Li et al. 2018 (landscape)",
    "Visualizing the Loss Landscape of Neural Nets",
    "NeurIPS 2018",
    "https://arxiv.org/abs/1712.09913",
    """@inproceedings{li2018visualizing,
  author = {Li, Hao and Xu, Zheng and Taylor, Gavin and Studer, Christoph and Goldstein, Tom},
  title = {Visualizing the Loss Landscape of Neural Nets},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2018}, eprint = {1712.09913}
}""",
)
HE_RESNET = Paper(
    "He et al. 2016",
    "Deep Residual Learning for Image Recognition",
    "CVPR 2016",
    "https://arxiv.org/abs/1512.03385",
    """@inproceedings{he2016deep,
  author = {He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian},
  title = {Deep Residual Learning for Image Recognition},
  booktitle = {Conference on Computer Vision and Pattern Recognition}, year = {2016}, eprint = {1512.03385}
}""",
)
SHAH = Paper(
    "Shah et al. 2020",
    "The Pitfalls of Simplicity Bias in Neural Networks",
    "NeurIPS 2020",
    "https://arxiv.org/abs/2006.07710",
    """@inproceedings{shah2020pitfalls,
  author = {Shah, Harshay and Tamuly, Kaustav and Raghunathan, Aditi and Jain, Prateek and Netrapalli, Praneeth},
  title = {The Pitfalls of Simplicity Bias in Neural Networks},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2020}, eprint = {2006.07710}
}""",
)
RAHAMAN = Paper(
    "Rahaman et al. 2019",
    "On the Spectral Bias of Neural Networks",
    "ICML 2019",
    "https://arxiv.org/abs/1806.08734",
    """@inproceedings{rahaman2019spectral,
  author = {Rahaman, Nasim and Baratin, Aristide and Arpit, Devansh and Draxler, Felix and Lin, Min and
    Hamprecht, Fred and Bengio, Yoshua and Courville, Aaron},
  title = {On the Spectral Bias of Neural Networks},
  booktitle = {International Conference on Machine Learning}, year = {2019}, eprint = {1806.08734}
}""",
)
VALLE_PEREZ = Paper(
    "Valle-Pérez et al. 2019",
    "Deep learning generalizes because the parameter-function map is biased towards simple functions",
    "ICLR 2019",
    "https://arxiv.org/abs/1805.08522",
    """@inproceedings{valleperez2019deep,
  author = {Valle-P{\\'e}rez, Guillermo and Camargo, Chico Q. and Louis, Ard A.},
  title = {Deep learning generalizes because the parameter-function map is biased towards simple functions},
  booktitle = {International Conference on Learning Representations}, year = {2019}, eprint = {1805.08522}
}""",
)
TANCIK = Paper(
    "Tancik et al. 2020",
    "Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains",
    "NeurIPS 2020",
    "https://arxiv.org/abs/2006.10739",
    """@inproceedings{tancik2020fourier,
  author = {Tancik, Matthew and Srinivasan, Pratul P. and Mildenhall, Ben and Fridovich-Keil, Sara and
    Raghavan, Nithin and Singhal, Utkarsh and Ramamoorthi, Ravi and Barron, Jonathan T. and Ng, Ren},
  title = {Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2020}, eprint = {2006.10739}
}""",
)
COHEN_EDGE = Paper(
    "Cohen et al. 2021",
    "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability",
    "ICLR 2021",
    "https://arxiv.org/abs/2103.00065",
    """@inproceedings{cohen2021gradient,
  author = {Cohen, Jeremy M. and Kaur, Simran and Li, Yuanzhi and Kolter, J. Zico and Talwalkar, Ameet},
  title = {Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability},
  booktitle = {International Conference on Learning Representations}, year = {2021}, eprint = {2103.00065}
}""",
)
POWER = Paper(
    "Power et al. 2022",
    "Grokking: Generalization Beyond Overfitting on Small Algorithmic Datasets",
    "arXiv 2022",
    "https://arxiv.org/abs/2201.02177",
    """@article{power2022grokking,
  author = {Power, Alethea and Burda, Yuri and Edwards, Harri and Babuschkin, Igor and Misra, Vedant},
  title = {Grokking: Generalization Beyond Overfitting on Small Algorithmic Datasets},
  journal = {arXiv preprint arXiv:2201.02177}, year = {2022}, eprint = {2201.02177}
}""",
)
NANDA = Paper(
    "Nanda et al. 2023",
    "Progress measures for grokking via mechanistic interpretability",
    "ICLR 2023",
    "https://arxiv.org/abs/2301.05217",
    """@inproceedings{nanda2023progress,
  author = {Nanda, Neel and Chan, Lawrence and Lieberum, Tom and Smith, Jess and Steinhardt, Jacob},
  title = {Progress measures for grokking via mechanistic interpretability},
  booktitle = {International Conference on Learning Representations}, year = {2023}, eprint = {2301.05217}
}""",
)
ADAMW = Paper(
    "Loshchilov & Hutter 2019",
    "Decoupled Weight Decay Regularization",
    "ICLR 2019",
    "https://arxiv.org/abs/1711.05101",
    """@inproceedings{loshchilov2019decoupled,
  author = {Loshchilov, Ilya and Hutter, Frank},
  title = {Decoupled Weight Decay Regularization},
  booktitle = {International Conference on Learning Representations}, year = {2019}, eprint = {1711.05101}
}""",
)
DAUPHIN = Paper(
    "Dauphin et al. 2014",
    "Identifying and attacking the saddle point problem in high-dimensional non-convex optimization",
    "NeurIPS 27 (2014)",
    "https://arxiv.org/abs/1406.2572",
    """@inproceedings{dauphin2014identifying,
  author = {Dauphin, Yann N. and Pascanu, Razvan and Gulcehre, Caglar and Cho, Kyunghyun and Ganguli, Surya and
    Bengio, Yoshua},
  title = {Identifying and attacking the saddle point problem in high-dimensional non-convex optimization},
  booktitle = {Advances in Neural Information Processing Systems 27}, year = {2014}, eprint = {1406.2572}
}""",
)
FRYE = Paper(
    "Frye et al. 2021",
    "Critical Point-Finding Methods Reveal Gradient-Flat Regions of Deep Network Losses",
    "Neural Computation 33(6), 2021",
    "https://arxiv.org/abs/2003.10397",
    """@article{frye2021critical,
  author = {Frye, Charles G. and Simon, James and Wadia, Neha S. and Ligeralde, Andrew and DeWeese, Michael R. and
    Bouchard, Kristofer E.},
  title = {Critical Point-Finding Methods Reveal Gradient-Flat Regions of Deep Network Losses},
  journal = {Neural Computation}, volume = {33}, number = {6}, year = {2021}, eprint = {2003.10397}
}""",
)
LEWKOWYCZ = Paper(
    "Lewkowycz et al. 2020",
    "The large learning rate phase of deep learning: the catapult mechanism",
    "arXiv 2020",
    "https://arxiv.org/abs/2003.02218",
    """@article{lewkowycz2020large,
  author = {Lewkowycz, Aitor and Bahri, Yasaman and Dyer, Ethan and Sohl-Dickstein, Jascha and Gur-Ari, Guy},
  title = {The large learning rate phase of deep learning: the catapult mechanism},
  journal = {arXiv preprint arXiv:2003.02218}, year = {2020}, eprint = {2003.02218}
}""",
)
